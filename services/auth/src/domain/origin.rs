//! Where a call came from.

use std::net::IpAddr;

/// The longest name of a program that is kept, in characters.
const USER_AGENT_MAX: usize = 256;

/// Where a call came from, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) address: Option<IpAddr>,
    /// The program, as it called itself.
    pub(crate) user_agent: String,
}

impl Origin {
    /// With the program's name cut to what is kept, without control characters.
    pub(crate) fn new(address: Option<IpAddr>, user_agent: &str) -> Self {
        let user_agent = user_agent.chars().filter(|c| !c.is_control()).take(USER_AGENT_MAX).collect();
        Self { address, user_agent }
    }

    /// The address as it is kept; empty if it is not known.
    pub(crate) fn address_text(&self) -> String {
        self.address.map(|address| address.to_string()).unwrap_or_default()
    }
}
