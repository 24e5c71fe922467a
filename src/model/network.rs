//! Whom an address is counted under, wherever callers are counted.

use std::net::{IpAddr, Ipv6Addr};

/// The address itself, or of IPv6 its /64 network, of which one caller has all addresses. An IPv4 address that is written
/// as IPv6 is IPv4.
pub fn caller_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_is_one_caller() {
        let network = |address: &str| caller_network(address.parse().unwrap()).to_string();
        assert_eq!(network("192.0.2.1"), "192.0.2.1");
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(network("2001:db8:0:1:ffff::9"), "2001:db8:0:1::");
    }
}
