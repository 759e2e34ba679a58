//! Whether a schema has the migrations that a program knows: no fewer, no more, and none that differs.

use std::collections::BTreeMap;
use std::fmt;

use sqlx::PgConnection;

use crate::Migrations;
use crate::error::has_state;

/// How a schema compares with the migrations of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaState {
    Current,
    /// Migrations are missing: another program has to apply them, see [`crate::migrate()`].
    Older {
        version: i64,
        known: i64,
    },
    /// A newer program has migrated it.
    Newer {
        version: i64,
        known: i64,
    },
    /// The migration of this version is not the one that the program knows.
    Changed {
        version: i64,
    },
}

impl fmt::Display for SchemaState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => f.write_str("the schema is current"),
            Self::Older { version, known } => write!(
                f,
                "the schema is at version {version}, and this program needs version {known}: run its command `migrate`"
            ),
            Self::Newer { version, known } => write!(
                f,
                "the schema is at version {version}, and this program knows versions up to {known}: run a newer program"
            ),
            Self::Changed { version } => write!(
                f,
                "migration {version} of the schema is not the one that this program holds: run the program that migrated it, or \
                 give the database URL of this service and not another one's"
            ),
        }
    }
}

crate::from_row! {
    struct AppliedRow {
        version: i64,
        checksum: Vec<u8>,
    }
}

/// Compares the schema of the connection's role with these migrations.
///
/// # Errors
/// When the database can't be reached, or refuses to tell.
pub async fn compare(conn: &mut PgConnection, migrations: &Migrations) -> Result<SchemaState, sqlx::Error> {
    let applied = sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version");
    let applied: Vec<AppliedRow> = match applied.fetch_all(conn).await {
        // undefined_table: nothing was migrated yet. invalid_schema_name: not even the schema was made.
        Err(error) if has_state(&error, &["42P01", "3F000"]) => Vec::new(),
        applied => applied?,
    };
    Ok(state(&applied, migrations))
}

fn state(applied: &[AppliedRow], migrations: &Migrations) -> SchemaState {
    let known: BTreeMap<i64, &[u8]> = migrations.checksums().collect();
    let newest = known.keys().next_back().copied().unwrap_or_default();
    let version = applied.last().map(|row| row.version).unwrap_or_default();
    let changed = applied.iter().find(|row| known.get(&row.version).is_some_and(|sum| *sum != row.checksum));
    match changed {
        Some(row) => SchemaState::Changed { version: row.version },
        None if version > newest => SchemaState::Newer { version, known: newest },
        None if applied.len() < known.len() => SchemaState::Older { version, known: newest },
        None => SchemaState::Current,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[(&str, &str)] = &[("0001_a", "SELECT 1"), ("0002_b", "SELECT 2")];

    fn applied(versions: &[i64]) -> Vec<AppliedRow> {
        let migrations = Migrations::new(KNOWN);
        let sums: BTreeMap<_, _> = migrations.checksums().collect();
        let row = |version: &i64| AppliedRow {
            version: *version,
            checksum: sums.get(version).map_or_else(Vec::new, |sum| sum.to_vec()),
        };
        versions.iter().map(row).collect()
    }

    #[test]
    fn a_schema_is_older_newer_or_current() {
        let compared = |versions: &[i64]| state(&applied(versions), &Migrations::new(KNOWN));
        assert_eq!(compared(&[]), SchemaState::Older { version: 0, known: 2 });
        assert_eq!(compared(&[1]), SchemaState::Older { version: 1, known: 2 });
        assert_eq!(compared(&[1, 2]), SchemaState::Current);
        assert_eq!(compared(&[1, 2, 3]), SchemaState::Newer { version: 3, known: 2 });
    }

    #[test]
    fn another_migration_of_the_same_version_is_told() {
        let mut rows = applied(&[1, 2]);
        rows[0].checksum = vec![1];
        assert_eq!(state(&rows, &Migrations::new(KNOWN)), SchemaState::Changed { version: 1 });
    }
}
