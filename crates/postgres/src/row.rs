//! Rows as structs.

/// Declares a struct that a row is read into, column by column, by the names of its fields. (sqlx's own derive would have the build
/// compile sqlx, its Postgres driver and TLS a second time, for the machine that builds.)
#[macro_export]
macro_rules! from_row {
    ($(#[$meta:meta])* $vis:vis struct $row:ident {
        $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty,)*
    }) => {
        $(#[$meta])*
        $vis struct $row {
            $($(#[$field_meta])* $field_vis $field: $type,)*
        }

        impl ::sqlx::FromRow<'_, ::sqlx::postgres::PgRow> for $row {
            fn from_row(row: &::sqlx::postgres::PgRow) -> Result<Self, ::sqlx::Error> {
                Ok(Self { $($field: ::sqlx::Row::try_get(row, stringify!($field))?,)* })
            }
        }
    };
}
