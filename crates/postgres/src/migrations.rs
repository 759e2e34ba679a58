//! The migrations of a service: its own, and those of the tables that several services have.

use sqlx::SqlStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// One migration: the name of its file, `0001_products`, and its SQL.
pub type Source = (&'static str, &'static str);

/// The tables of [`crate::outbox`] and [`crate::idempotency`]. Their versions, 3 and 4, are taken in each service that has them.
const OUTBOX: &[Source] = &[
    ("0003_outbox", include_str!("../migrations/0003_outbox.sql")),
    ("0004_outbox_positions", include_str!("../migrations/0004_outbox_positions.sql")),
];

/// Names the files of a crate's folder `migrations`, in order.
#[macro_export]
macro_rules! migrations {
    ($($name:literal),* $(,)?) => {
        $crate::Migrations::new(&[
            $(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $name, ".sql"))),)*
        ])
    };
}

/// The migrations of a service, in the order of their versions.
#[derive(Clone, Debug)]
pub struct Migrations(Vec<Migration>);

impl Migrations {
    /// A service's own. See [`migrations!`](crate::migrations!).
    pub fn new(sources: &[Source]) -> Self {
        Self(sources.iter().map(migration).collect())
    }

    /// With the tables of [`crate::outbox`] and [`crate::idempotency`].
    #[must_use]
    pub fn with_outbox(mut self) -> Self {
        self.0.extend(OUTBOX.iter().map(migration));
        self.0.sort_by_key(|migration| migration.version);
        self
    }

    /// Those up to a version only.
    #[must_use]
    pub fn up_to(mut self, version: i64) -> Self {
        self.0.retain(|migration| migration.version <= version);
        self
    }

    /// What applies them. It does nothing to a schema that a newer program has migrated.
    pub(crate) fn migrator(&self) -> Migrator {
        let mut migrator = Migrator::with_migrations(self.0.clone());
        migrator.set_locking(false);
        migrator
    }

    /// The version and checksum of each.
    pub(crate) fn checksums(&self) -> impl Iterator<Item = (i64, &[u8])> {
        self.0.iter().map(|migration| (migration.version, &*migration.checksum))
    }
}

/// A file name that does not begin with a number gets version 0, which no service has: `assert_complete` finds it.
fn migration((name, sql): &Source) -> Migration {
    let (version, description) = name.split_once('_').unwrap_or((name, ""));
    let (version, description) = (version.parse().unwrap_or_default(), description.replace('_', " "));
    Migration::new(version, description.into(), MigrationType::Simple, SqlStr::from_static(sql), false)
}

/// Asserts that a service names each file of its folder once, and no version twice. For the tests of services.
///
/// # Panics
/// When it does not.
#[cfg(feature = "testing")]
pub fn assert_complete(migrations: &Migrations, folder: &std::path::Path) {
    let versions: Vec<i64> = migrations.0.iter().map(|migration| migration.version).collect();
    assert_eq!(versions, (1..=versions.len() as i64).collect::<Vec<_>>(), "versions are 1, 2, 3, ...");
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for file in files.map(|file| file.file_name().to_string_lossy().into_owned()) {
        let sql = std::fs::read_to_string(folder.join(&file)).unwrap_or_default();
        assert!(migrations.0.iter().any(|migration| migration.sql.as_str() == sql), "{file} is not named");
    }
}
