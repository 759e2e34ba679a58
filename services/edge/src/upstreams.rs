//! Where the services are.

use std::collections::BTreeMap;

use tonic::transport::Channel;

/// The services behind the edge: for each package of the contract, such as `kontor.auth.v1`, the channel to whoever
/// serves it.
#[derive(Clone, Debug, Default)]
pub struct Upstreams(BTreeMap<String, Channel>);

impl Upstreams {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this one too.
    #[must_use]
    pub fn with(mut self, package: impl Into<String>, channel: Channel) -> Self {
        self.0.insert(package.into(), channel);
        self
    }

    /// The channel to whoever serves the package.
    pub(crate) fn get(&self, package: &str) -> Option<&Channel> {
        self.0.get(package)
    }

    /// All, by what people call them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Channel)> {
        self.0.iter().map(|(package, channel)| (short_name(package), channel))
    }
}

/// What people call the service: "auth" for `kontor.auth.v1`.
pub(crate) fn short_name(package: &str) -> &str {
    let is_version = |part: &str| part.starts_with('v') && part.contains(|c: char| c.is_ascii_digit());
    package.rsplit('.').find(|part| !is_version(part)).unwrap_or(package)
}

#[cfg(test)]
mod tests {
    use super::short_name;

    #[test]
    fn a_package_is_called_by_its_area() {
        assert_eq!(short_name("kontor.auth.v1"), "auth");
        assert_eq!(short_name("kontor.vendor"), "vendor");
        assert_eq!(short_name("v1"), "v1");
    }
}
