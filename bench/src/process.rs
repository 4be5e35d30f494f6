//! Processes of the benchmark, with their figures in `/proc`.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::failure::Failure;

/// A server process; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    id: u32,
    _child: Child,
    /// Reads the rest of its output, so that it never blocks on a full pipe.
    _reader: JoinSet<()>,
}

impl Process {
    /// Starts `command`, and waits for a line of its stdout that `parse_line` accepts. The process
    /// inherits stderr.
    pub(crate) async fn start<T>(
        name: &'static str,
        mut command: Command,
        parse_line: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T), Failure> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let action = format!("cannot start {name}");
        let mut child = command.spawn().map_err(Failure::io(action))?;
        let missing = || Failure::Figures { name };
        let id = child.id().ok_or_else(missing)?;
        let mut lines = BufReader::new(child.stdout.take().ok_or_else(missing)?).lines();
        let announcement = wait_for_line(name, &mut lines, parse_line).await?;
        let mut reader = JoinSet::new();
        reader.spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let process = Self {
            name,
            id,
            _child: child,
            _reader: reader,
        };
        Ok((process, announcement))
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// CPU time of all its threads since its start, in user and kernel mode.
    pub(crate) fn cpu(&self) -> Result<Duration, Failure> {
        let ticks = cpu_ticks(&self.file("stat")?);
        let ticks = ticks.ok_or(Failure::Figures { name: self.name })?;
        Ok(Duration::from_millis(ticks * TICK_MILLISECONDS))
    }

    /// Peak resident memory, in KiB.
    pub(crate) fn peak_kibibytes(&self) -> Result<u64, Failure> {
        let peak = peak(&self.file("status")?);
        peak.ok_or(Failure::Figures { name: self.name })
    }

    /// Pauses the process; its sockets stay open.
    pub(crate) async fn pause(&self) -> Result<(), Failure> {
        self.signal("-STOP").await
    }

    /// Resumes the process.
    pub(crate) async fn resume(&self) -> Result<(), Failure> {
        self.signal("-CONT").await
    }

    async fn signal(&self, signal: &str) -> Result<(), Failure> {
        let mut kill = Command::new("kill");
        kill.args([signal, &self.id.to_string()]);
        let status = kill.status().await;
        let status = status.map_err(Failure::io("cannot run kill"))?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::Figures { name: self.name })
        }
    }

    fn file(&self, name: &str) -> Result<String, Failure> {
        let path = format!("/proc/{}/{name}", self.id);
        std::fs::read_to_string(path).map_err(|_| Failure::Figures { name: self.name })
    }
}

async fn wait_for_line<T>(
    name: &'static str,
    lines: &mut Lines<BufReader<ChildStdout>>,
    parse_line: impl Fn(&str) -> Option<T>,
) -> Result<T, Failure> {
    let waiting = async {
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some(found) = parse_line(&line) {
                return Some(found);
            }
        }
        None
    };
    match timeout(START_TIMEOUT, waiting).await {
        Ok(Some(found)) => Ok(found),
        Ok(None) | Err(_) => Err(Failure::Start { name }),
    }
}

/// The sum of `utime` and `stime` of a `/proc/<pid>/stat`, fields 14 and 15 of proc(5). Field 2 is a
/// name in parentheses that may contain spaces and parentheses.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn peak(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Duration of a tick in milliseconds; `USER_HZ` is 100 on all common Linux systems.
const TICK_MILLISECONDS: u64 = 10;

/// Maximum time for a process to start, which normally takes milliseconds.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// The path of the running program, to start it with another subcommand.
pub(crate) fn this_program() -> Result<std::path::PathBuf, Failure> {
    std::env::current_exe().map_err(Failure::io("cannot find the running program"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_parsed_after_any_name() {
        let stat = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 700 33 0 0 20 0 4 0 9";
        assert_eq!(cpu_ticks(stat), Some(733));
        assert_eq!(cpu_ticks("42 (short) S 1"), None);
    }

    #[test]
    fn the_peak_is_a_number_of_kibibytes() {
        let status = "Name:\tweir\nVmHWM:\t   14336 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(peak(status), Some(14336));
        assert_eq!(peak("Name:\tweir\n"), None);
    }

    #[tokio::test]
    async fn a_process_that_exits_early_did_not_start() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo no luck"]);
        let started = Process::start("sh", command, |line| (line == "ready").then_some(()));
        assert!(matches!(started.await, Err(Failure::Start { name: "sh" })));
    }

    #[tokio::test]
    async fn a_started_process_has_figures() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo begins; echo ready; exec sleep 600"]);
        let started = Process::start("sh", command, |line| (line == "ready").then_some(()));
        let (process, ()) = started.await.unwrap();
        assert!(process.cpu().is_ok());
        assert!(process.peak_kibibytes().unwrap() > 0);
    }
}
