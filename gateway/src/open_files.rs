//! The limit of the process on open files, and the connections of clients that it allows.
//!
//! Each connection is an open file, of clients and to services alike. A process that has reached
//! the limit cannot call services, so clients get a part of it only.

use std::num::NonZeroUsize;

/// Raises the limit to the maximum that the operating system permits without privileges.
///
/// The limit is often 1,024, for programs that call `select`, and its maximum far higher. Affects
/// the whole process, so the binary `weir` calls it, and the library does not.
pub fn raise_limit() {
    #[cfg(unix)]
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => tracing::info!(limit, "limit on open files"),
        Err(error) => tracing::warn!(%error, "cannot raise the limit on open files"),
    }
}

/// The maximum number of connections of clients: `configured`, or fewer if the limit on open files
/// does not allow as many.
pub(crate) fn allowed_connections(configured: NonZeroUsize) -> NonZeroUsize {
    let Some(limit) = current_limit() else {
        return configured;
    };
    let allowed = connections_within(limit);
    if allowed < configured {
        tracing::warn!(
            configured,
            allowed,
            open_files = limit,
            "the limit on open files allows fewer connections than `listen.connections`; \
             raise it (`ulimit -n`, `LimitNOFILE=`), or lower `listen.connections`"
        );
    }
    allowed.min(configured)
}

/// `None` if there is no limit, or it is unknown.
fn current_limit() -> Option<usize> {
    #[cfg(unix)]
    {
        let (soft, _) = rlimit::Resource::NOFILE.get().ok()?;
        // Higher limits, such as `RLIM_INFINITY`, are none.
        usize::try_from(soft)
            .ok()
            .filter(|_| soft < u64::from(u32::MAX))
    }
    #[cfg(not(unix))]
    None
}

/// The number of connections of clients that `limit` open files allow.
fn connections_within(limit: usize) -> NonZeroUsize {
    let reserved = (limit / 4).max(MIN_RESERVED).min(limit / 2);
    NonZeroUsize::new(limit - reserved).unwrap_or(NonZeroUsize::MIN)
}

/// Minimum number of open files for all but clients: the admin socket has up to 64 connections,
/// and there are connections to services and to Redis, sockets that listen, and files. At most half
/// of the limit is reserved.
const MIN_RESERVED: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_get_half_to_three_quarters_of_the_open_files() {
        let table = [(1, 1), (64, 32), (256, 128), (1024, 768), (65536, 49152)];
        for (limit, expected) in table {
            assert_eq!(connections_within(limit).get(), expected, "{limit}");
        }
    }

    #[test]
    fn fewer_connections_than_the_limit_allows_are_not_changed() {
        let one = NonZeroUsize::MIN;

        assert_eq!(allowed_connections(one), one);
    }
}
