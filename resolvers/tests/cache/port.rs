//! Free ports for servers that tests start, also for those that start again on the same port.

use std::net::{TcpListener, UdpSocket};

/// A free port. While it exists no other test takes the port: tests are concurrent processes,
/// and a killed server must be able to start again on its port.
pub(crate) struct Port {
    pub(crate) number: u16,
    _reservation: UdpSocket,
}

impl Port {
    /// A port below the ephemeral ports of Linux (32768), whose Cluster port is free too.
    pub(crate) fn free() -> Self {
        loop {
            let number = fastrand::u16(10_000..22_000);
            let Ok(reservation) = UdpSocket::bind(("127.0.0.1", number)) else {
                continue;
            };
            let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
            if is_free(number) && is_free(number + 10_000) {
                return Self {
                    number,
                    _reservation: reservation,
                };
            }
        }
    }
}
