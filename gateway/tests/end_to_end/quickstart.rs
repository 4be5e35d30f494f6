//! Follows `docs/quickstart.md` block by block, in an empty folder.
//!
//! The marks of the code fences say what a block is: a file, a command, or the output of the last
//! command; blocks without marks are not run. The ports of the page are replaced by free ones, as
//! tests run concurrently. Needs `node` and `curl`.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::commands::Folder;
use crate::port::Port;

/// The ports of the page: of the two services, and of Weir.
const PORTS: [&str; 3] = ["5001", "5002", "4000"];

/// Maximum time for a command to end, or to listen.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn the_quickstart_works_when_followed_word_for_word() {
    for tool in ["node", "curl"] {
        let version = Command::new(tool).arg("--version").output().await;
        assert!(
            version.is_ok(),
            "`{tool}` is missing: the quickstart needs it"
        );
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/quickstart.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (mut reader, blocks) = (Reader::new(), blocks(&page));

    for block in &blocks {
        reader.follow(block).await;
    }

    let count = |mark: &str| blocks.iter().filter(|block| block.mark == mark).count();
    let outputs = count("output") + count("answer");
    assert!(count("run") >= 5 && outputs >= 5, "blocks lost their marks");
}

/// A fenced block with a mark.
struct Block<'a> {
    language: &'a str,
    mark: &'a str,
    text: &'a str,
}

/// The blocks of a page whose info string is a language and a mark.
fn blocks(page: &str) -> Vec<Block<'_>> {
    let fenced = page.split("\n```").skip(1).step_by(2);
    fenced
        .filter_map(|fenced| {
            let (info, text) = fenced.split_once('\n')?;
            let (language, mark) = info.split_once(' ')?;
            Some(Block {
                language,
                mark,
                text,
            })
        })
        .collect()
}

/// A reader of the page, who does what it says.
struct Reader {
    folder: Folder,
    ports: [Port; 3],
    /// The started commands, each by its text; they are killed when the reader is dropped.
    started: Vec<(String, Started)>,
    /// Standard output of the last command that ran to its end.
    output: String,
}

/// A command that goes on, and its output, which must stay open.
struct Started {
    child: Child,
    _lines: Lines<BufReader<ChildStdout>>,
}

impl Reader {
    fn new() -> Self {
        Self {
            folder: Folder::new(&format!("quickstart-{}", std::process::id()), &[]),
            ports: [(); 3].map(|()| Port::free()),
            started: Vec::new(),
            output: String::new(),
        }
    }

    async fn follow(&mut self, block: &Block<'_>) {
        // The newline before the closing fence belongs to the split.
        let text = self.with_free_ports(&format!("{}\n", block.text));
        match (block.language, block.mark) {
            (_, mark) if mark.starts_with("file=") => {
                let name = mark.trim_start_matches("file=");
                std::fs::write(self.folder.path().join(name), text).unwrap();
            }
            ("sh", "run") => self.output = self.run(&text).await,
            ("sh", "start") => {
                let started = self.start(&text).await;
                self.started.push((text, started));
            }
            ("sh", "stop") => self.stop(&text).await,
            ("text", "output") => assert_eq!(self.output, text),
            ("json", "answer") => {
                let json = |text: &str| -> Value {
                    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
                };
                assert_eq!(json(&self.output), json(&text));
            }
            (language, mark) => panic!("the mark `{language} {mark}` is unknown"),
        }
    }

    fn with_free_ports(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (port, free) in PORTS.iter().zip(&self.ports) {
            text = text.replace(port, &free.number.to_string());
        }
        let listen = format!("weir serve --listen 127.0.0.1:{}", self.ports[2].number);
        text.replace("weir serve\n", &format!("{listen}\n"))
    }

    /// `sh` in the folder, with the built `weir` first on the `PATH`.
    fn shell(&self, script: &str) -> Command {
        let weir = Path::new(env!("CARGO_BIN_EXE_weir")).parent().unwrap();
        let mut path = OsString::from(weir);
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut command = Command::new("sh");
        command
            .args(["-c", script])
            .env("PATH", path)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs a command to its end, and returns its standard output.
    async fn run(&self, script: &str) -> String {
        let output = timeout(PATIENCE, self.shell(script).output())
            .await
            .unwrap_or_else(|_| panic!("{script:?} does not end"))
            .unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script:?}: {out}{err}");
        out
    }

    /// Starts a command, and waits until it listens at the URL that it prints.
    async fn start(&self, script: &str) -> Started {
        // With `exec` the child is the command itself, and not the shell.
        let mut child = self
            .shell(&format!("exec {script}"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let listening = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some((_, url)) = line.split_once("http://") {
                    let address = url.split('/').next().unwrap().trim();
                    return TcpStream::connect(address).await.is_ok();
                }
            }
            false
        };
        let is_listening = timeout(PATIENCE, listening).await.unwrap_or(false);
        assert!(is_listening, "{script:?} does not listen");
        Started {
            child,
            _lines: lines,
        }
    }

    /// Stops the command that was started with the same text.
    async fn stop(&mut self, script: &str) {
        let index = self.started.iter().position(|(text, _)| text == script);
        let index = index.unwrap_or_else(|| panic!("{script:?} was not started"));
        let (_, mut started) = self.started.remove(index);
        started.child.kill().await.unwrap();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.folder.path());
    }
}
