//! The connection that requests use: made, checked and replaced in the background.

use std::sync::Arc;

use futures_util::future::join_all;
use redis::{Cmd, RedisResult, Value, cmd};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::breaker::{Access, Breaker};
use super::connection::RedisConnection;
use super::{Store, scripts};

impl Store {
    /// Connects, checks the connection, and probes Redis while a breaker is open, until `stop` is
    /// dropped.
    pub(in crate::cache) async fn maintain_connection(
        self: Arc<Self>,
        mut stop: watch::Receiver<()>,
    ) {
        let maintain = async {
            loop {
                if self.is_healthy() {
                    tokio::select! {
                        () = self.breaker_opened.notified() => {}
                        () = sleep(self.settings.probe_interval) => self.check_primary().await,
                    }
                    continue;
                }
                // Failures that no probe repeats must not cause a new connection each.
                let next = Instant::now() + self.settings.probe_interval;
                self.reconnect().await;
                sleep_until(next).await;
            }
        };
        tokio::select! {
            () = maintain => {}
            _ = stop.changed() => {}
        }
    }

    fn is_healthy(&self) -> bool {
        self.connection.borrow().is_some() && !self.breakers.iter().any(Breaker::is_open)
    }

    /// Writes, so that a server that is no longer the primary is noticed also by a process that
    /// only reads. In a Cluster, other nodes redirect reads too.
    async fn check_primary(&self) {
        if matches!(
            &*self.connection.borrow(),
            Some(RedisConnection::Cluster(_))
        ) {
            return;
        }
        let name = probe_name(&self.names.messages());
        let delete = command(&["DEL", &name]);
        self.call((&name, &delete), Access::Write, self.settings.write_timeout)
            .await;
    }

    /// Reconnects and probes.
    async fn reconnect(&self) {
        let known = self.connection.borrow().clone();
        let all_failed = self.breakers.iter().all(Breaker::is_open);
        let is_known = known.is_some();
        let connection = match known {
            // A Cluster connection rediscovers its nodes.
            Some(connection @ RedisConnection::Cluster(_)) if !all_failed => connection,
            _ => {
                match RedisConnection::connect(&self.settings, self.settings.write_timeout).await {
                    Ok(connection) => {
                        self.stats.connects.increment();
                        connection
                    }
                    Err(error) => return self.failures.report_connect(&error),
                }
            }
        };
        let messages = self.breaker_index(&self.names.messages());
        let probes = self.breakers.iter().enumerate();
        let probes = probes
            .filter(|(index, breaker)| breaker.is_open() || (!is_known && *index == messages));
        let is_up = join_all(probes.map(|(_, breaker)| self.probe(connection.clone(), breaker)));
        if is_up.await.contains(&true) {
            self.connection.send_replace(Some(connection));
        }
        self.publish_status();
    }

    /// Repeats every kind of command that the cache needs, in the slot of the last failure, and
    /// closes the breaker if Redis accepts all of them in time for a request. A slower Redis would
    /// make requests time out again.
    async fn probe(&self, connection: RedisConnection, breaker: &Breaker) -> bool {
        let commands = self.probe_commands(&breaker.last_failed_key());
        let replies = commands.iter().map(async |command| {
            let reply = connection.clone().send(command).await;
            self.is_accepted(command, &reply)
        });
        let replies = timeout(self.settings.command_timeout, join_all(replies)).await;
        let is_up =
            replies.is_ok_and(|accepted| accepted.into_iter().all(|is_accepted| is_accepted));
        if is_up && breaker.close() {
            self.stats.breaker_closed.increment();
        }
        is_up
    }

    /// Commands of every kind that the cache uses. They leave nothing behind.
    fn probe_commands(&self, last_failed_key: &str) -> Vec<Cmd> {
        let messages = self.names.messages();
        let name = match last_failed_key {
            "" => probe_name(&messages),
            failed => probe_name(failed),
        };
        let mut commands = key_commands(&name);
        if self.breaker_index(&messages) == self.breaker_index(&name) {
            commands.extend(stream_commands(&messages, &format!("{name}s")));
        }
        commands
    }

    /// Whether Redis can be used in spite of this reply. Without free memory it can: reads and
    /// invalidations succeed.
    fn is_accepted(&self, command: &Cmd, reply: &RedisResult<Value>) -> bool {
        let Err(error) = reply else { return true };
        self.failures.report(command, error);
        error.code() == Some(OUT_OF_MEMORY)
    }
}

/// The commands for values, generations and leases. Those in scripts are also sent alone, because
/// the refusal of a script does not name the command.
fn key_commands(name: &str) -> Vec<Cmd> {
    vec![
        command(&["SET", name, "1", "PX", "1000"]),
        command(&["MGET", name]),
        command(&["GET", name]),
        command(&["PEXPIRE", name, "1000"]),
        scripts::release(name.to_owned(), 0).1,
        scripts::renew(name.to_owned(), 0, 1000).1,
        scripts::set_generation(name.to_owned(), 1, 1000).1,
        command(&["DEL", name]),
    ]
}

/// The commands for messages: reads of `messages` before its first id and after its last, and
/// writes to `name`.
fn stream_commands(messages: &str, name: &str) -> Vec<Cmd> {
    let last_id = u64::MAX.to_string();
    vec![
        command(&["XRANGE", messages, "0-1", "0-1"]),
        command(&["XREVRANGE", messages, "0-1", "0-1"]),
        command(&["XREAD", "STREAMS", messages, &last_id]),
        command(&["XADD", name, "*", "t", "", "g", "1"]),
        command(&["XTRIM", name, "MAXLEN", "~", "1"]),
        scripts::publish(name.to_owned(), 1, &[], 1).1,
        command(&["DEL", name]),
    ]
}

fn command(words: &[&str]) -> Cmd {
    let mut words = words.iter();
    let mut command = cmd(words.next().copied().unwrap_or_default());
    for word in words {
        command.arg(*word);
    }
    command
}

/// A name that nothing else uses, in the slot of `name`.
fn probe_name(name: &str) -> String {
    format!("{name}:p")
}

/// Code of the reply to a write that needs memory which Redis does not have.
pub(super) const OUT_OF_MEMORY: &str = "OOM";
