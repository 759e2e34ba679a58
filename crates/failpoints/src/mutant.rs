//! The rules that can be broken on purpose.

/// A rule that is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// Whoever lost the lease of an order goes on writing.
    NoFencing,
    /// Each try of a payment call carries a key of its own.
    NewProviderKeyPerTry,
    /// An order is acknowledged before it is committed.
    AcknowledgeBeforeCommit,
    /// Units are held whether they are there or not.
    NoStockGuard,
    /// The release of an unknown reservation leaves nothing behind.
    NoTombstone,
    /// Events are written after the transaction that makes them true.
    OutboxOutsideTransaction,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::NoFencing,
        Self::NewProviderKeyPerTry,
        Self::AcknowledgeBeforeCommit,
        Self::NoStockGuard,
        Self::NoTombstone,
        Self::OutboxOutsideTransaction,
    ];

    /// Its name on a command line and in the environment.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoFencing => "no-fencing",
            Self::NewProviderKeyPerTry => "new-provider-key-per-try",
            Self::AcknowledgeBeforeCommit => "acknowledge-before-commit",
            Self::NoStockGuard => "no-stock-guard",
            Self::NoTombstone => "no-tombstone",
            Self::OutboxOutsideTransaction => "outbox-outside-transaction",
        }
    }

    /// By its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mutant| mutant.name() == name)
    }
}
