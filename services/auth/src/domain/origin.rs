//! The origin of a call.

use std::net::IpAddr;

/// The longest user agent that is stored, in characters.
const USER_AGENT_MAX: usize = 256;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) address: Option<IpAddr>,
    pub(crate) user_agent: String,
}

impl Origin {
    /// Removes control characters from the user agent, and truncates it.
    pub(crate) fn new(address: Option<IpAddr>, user_agent: &str) -> Self {
        let user_agent = user_agent.chars().filter(|c| !c.is_control()).take(USER_AGENT_MAX).collect();
        Self { address, user_agent }
    }

    /// The address as it is stored; empty if it is not known.
    pub(crate) fn address_text(&self) -> String {
        self.address.map(|address| address.to_string()).unwrap_or_default()
    }
}
