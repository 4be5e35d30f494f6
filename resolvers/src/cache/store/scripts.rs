//! Lua scripts, and the commands that run them.
//!
//! Scripts that must succeed in a Redis without free memory (`noeviction`) begin with a command
//! that frees memory: Redis refuses the first write of a script if it could need memory, and
//! accepts every write after another one.

use redis::{Cmd, cmd};

use super::super::tags::Generation;

/// Sets the generation of a tag, with its time to live in milliseconds.
pub(super) fn set_generation(name: String, generation: Generation, ttl: u64) -> (String, Cmd) {
    let mut set = script(SET, &name);
    set.arg(generation).arg(ttl);
    (name, set)
}

/// Adds an invalidation to the stream of messages, which keeps about `max_messages`.
pub(super) fn publish(
    name: String,
    max_messages: usize,
    tags: &[u8],
    generation: Generation,
) -> (String, Cmd) {
    let mut publish = script(PUBLISH, &name);
    publish.arg(max_messages).arg(tags).arg(generation);
    (name, publish)
}

/// Releases a lease only if this token still holds it: it may have expired and passed to another
/// replica.
pub(super) fn release(name: String, token: u64) -> (String, Cmd) {
    let mut release = script(RELEASE, &name);
    release.arg(token);
    (name, release)
}

/// Renews a lease if this token still holds it, with its time to live in milliseconds.
pub(super) fn renew(name: String, token: u64, ttl: u64) -> (String, Cmd) {
    let mut renew = script(RENEW, &name);
    renew.arg(token).arg(ttl);
    (name, renew)
}

fn script(text: &str, name: &str) -> Cmd {
    let mut eval = cmd("EVAL");
    eval.arg(text).arg(1).arg(name);
    eval
}

const SET: &str = "redis.call('DEL', KEYS[1]) \
    return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])";

const PUBLISH: &str = "redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[1]) \
    return redis.call('XADD', KEYS[1], '*', 't', ARGV[2], 'g', ARGV[3])";

const RELEASE: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then \
    return redis.call('DEL', KEYS[1]) end return 0";

const RENEW: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then \
    return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0";
