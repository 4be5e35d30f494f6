//! Calls to Redis, each with a timeout and behind a circuit breaker.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use redis::{Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value, cmd};
use tokio::time::{Instant, timeout};

use super::Store;
use super::breaker::{Access, Breaker, failures_allowed};
use super::connection::{RedisConnection, send_all};
use super::names::{HASH_SLOTS, hash_slot};

/// Commands, each with the name it is about.
pub(super) type Commands = Vec<(String, Cmd)>;

/// A command with the name it is about.
pub(super) type Named<'a> = (&'a str, &'a Cmd);

/// One reply for each command of a call.
type Replies = Vec<RedisResult<Value>>;

impl Store {
    /// Reads values with `MGET`, one or more for each breaker.
    pub(super) async fn mget(&self, names: Vec<String>) -> Vec<Option<Bytes>> {
        let mut found = vec![None; names.len()];
        let mut parts: Vec<Vec<usize>> = vec![Vec::new(); self.breakers.len()];
        for (index, name) in names.iter().enumerate() {
            parts[self.breaker_index(name)].push(index);
        }
        let limit = self.settings.command_timeout;
        let chunks = parts.iter().flat_map(|part| part.chunks(MAX_KEYS_PER_READ));
        let answers = chunks.map(async |chunk| {
            let mut command = cmd("MGET");
            for index in chunk {
                command.arg(&names[*index]);
            }
            let answer = match chunk.first() {
                Some(first) => {
                    self.call((&names[*first], &command), Access::Read, limit)
                        .await
                }
                None => None,
            };
            (chunk, answer)
        });
        for (chunk, answer) in join_all(answers).await {
            let Some(Value::Array(values)) = answer else {
                continue;
            };
            for (index, value) in chunk.iter().zip(values) {
                if let Value::BulkString(bytes) = value {
                    found[*index] = Some(Bytes::from(bytes));
                }
            }
        }
        found
    }

    /// Sends writes; `None` for those without a successful reply in time.
    pub(super) async fn send(&self, commands: Commands, limit: Duration) -> Vec<Option<Value>> {
        let server = match &*self.connection.borrow() {
            Some(RedisConnection::Server(connection)) => Some(connection.clone()),
            _ => None,
        };
        let commands: Vec<Named<'_>> = commands
            .iter()
            .map(|(name, command)| (name.as_str(), command))
            .collect();
        let Some(mut connection) = server else {
            let calls = commands
                .iter()
                .map(|command| self.call(*command, Access::Write, limit));
            return join_all(calls).await;
        };
        let replies = send_all(&mut connection, &commands);
        let replies = self
            .with_breaker(&commands, Access::Write, limit, replies)
            .await;
        let mut replies = replies.into_iter();
        commands
            .iter()
            .map(|_| replies.next().and_then(Result::ok))
            .collect()
    }

    /// Sends one command; `None` without a successful reply in time.
    pub(super) async fn call(
        &self,
        command: Named<'_>,
        access: Access,
        limit: Duration,
    ) -> Option<Value> {
        let connection = self.connection.borrow().clone();
        let call = async {
            match connection {
                Some(mut connection) => Ok(vec![Ok(connection.send(command.1).await?)]),
                None => Ok(Vec::new()),
            }
        };
        let replies = self.with_breaker(&[command], access, limit, call).await;
        replies.into_iter().next()?.ok()
    }

    /// Runs a Redis call with a timeout and records its outcome; skips it while its breaker is
    /// open. No replies if the call as a whole failed.
    async fn with_breaker(
        &self,
        commands: &[Named<'_>],
        access: Access,
        limit: Duration,
        call: impl Future<Output = RedisResult<Replies>>,
    ) -> Replies {
        let Some(first) = commands.first() else {
            return Vec::new();
        };
        let breaker = self.breaker(first.0);
        if !self.is_available(first.0) {
            self.stats.redis_skipped.increment();
            return Vec::new();
        }
        let started = Instant::now();
        let outcome = timeout(limit, call).await;
        self.stats.redis_time.record(started.elapsed());
        match outcome {
            Ok(Ok(replies)) => {
                let errors = replies.iter().zip(commands);
                let errors =
                    errors.filter_map(|(reply, command)| Some((*command, reply.as_ref().err()?)));
                if !self.record_errors(errors, access) {
                    breaker.record_success(access);
                }
                return replies;
            }
            Ok(Err(error)) => {
                self.record_errors(std::iter::once((*first, &error)), access);
            }
            Err(_) => {
                self.stats.redis_timeouts.increment();
                let breakers = std::slice::from_ref(breaker);
                if self.record_failure(breakers, *first, (access, self.settings.max_failures)) {
                    self.failures.report_timeout(first.1, limit);
                }
            }
        }
        Vec::new()
    }

    /// Records error replies to commands of one call; returns whether one of them counts as a
    /// failure of Redis.
    fn record_errors<'a>(
        &self,
        errors: impl Iterator<Item = (Named<'a>, &'a RedisError)>,
        access: Access,
    ) -> bool {
        let mut worst: Option<(u32, Named<'_>, &RedisError)> = None;
        for (command, error) in errors {
            self.stats.redis_errors.increment();
            self.failures.report(command.1, error);
            let allowed = failures_allowed(error, &self.settings, self.breakers.len());
            if let Some(allowed) = allowed
                && worst.is_none_or(|(least, ..)| allowed < least)
            {
                worst = Some((allowed, command, error));
            }
        }
        let Some((allowed, command, error)) = worst else {
            return false;
        };
        if is_demoted(error) {
            self.was_demoted.store(true, Ordering::Release);
        }
        // No slot is served, so all breakers count the failure.
        let is_down = error.kind() == ErrorKind::Server(ServerErrorKind::ClusterDown);
        let breakers = if is_down {
            &self.breakers
        } else {
            std::slice::from_ref(self.breaker(command.0))
        };
        self.record_failure(breakers, command, (access, allowed));
        true
    }

    /// Counts a failure; returns whether a breaker opened.
    fn record_failure(
        &self,
        breakers: &[Breaker],
        command: Named<'_>,
        (access, allowed): (Access, u32),
    ) -> bool {
        let opened = breakers
            .iter()
            .filter(|breaker| breaker.record_failure(command.0, access, allowed))
            .count();
        if opened > 0 {
            self.stats.breaker_opened.add(opened);
            self.publish_status();
            self.breaker_opened.notify_one();
        }
        opened > 0
    }

    pub(super) fn breaker(&self, name: &str) -> &Breaker {
        &self.breakers[self.breaker_index(name)]
    }

    pub(super) fn breaker_index(&self, name: &str) -> usize {
        match self.breakers.len() {
            1 => 0,
            parts => usize::from(hash_slot(name)) * parts / usize::from(HASH_SLOTS),
        }
    }
}

/// Whether the server that sent this error is not the primary.
fn is_demoted(error: &RedisError) -> bool {
    use ServerErrorKind::{MasterDown, ReadOnly};
    matches!(error.kind(), ErrorKind::Server(ReadOnly | MasterDown))
}

/// Maximum number of keys in one command; more would block Redis for other clients too long.
const MAX_KEYS_PER_READ: usize = 512;
