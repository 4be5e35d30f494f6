//! Runs the scripts of a folder of these tests with Node.
//!
//! If something that a script needs is missing, its test prints that it skips, and fails if
//! `WEIR_REQUIRE_BROWSER=1`, which `make test` sets after it has installed everything.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

/// A folder of `tests` with scripts and a `package.json`, whose packages `npm ci` installs.
#[derive(Clone, Copy)]
pub(crate) struct Scripts {
    pub(crate) folder: &'static str,
    /// A package whose folder exists once all are installed.
    pub(crate) package: &'static str,
}

impl Scripts {
    /// The remedy that a script needs before it can run; `None` if it can run.
    pub(crate) async fn missing(self) -> Option<String> {
        if !self.path().join("node_modules").join(self.package).exists() {
            return Some(format!(
                "{} is not installed: run `npm ci` in gateway/tests/{}",
                self.package, self.folder
            ));
        }
        let version = Command::new("node").arg("--version").output().await;
        version
            .is_err()
            .then(|| "`node` is not installed".to_owned())
    }

    /// Runs `node script argument` to its end; panics with its output if it fails.
    pub(crate) async fn run(self, script: &str, argument: &str, patience: Duration) -> String {
        let running = Command::new("node")
            .args([script, argument])
            .current_dir(self.path())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(patience, running)
            .await
            .expect("the script did not end in time")
            .unwrap();
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{out}{err}");
        out
    }

    fn path(self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests")
            .join(self.folder)
    }
}

/// Prints why a test is skipped; panics if `WEIR_REQUIRE_BROWSER=1`.
pub(crate) fn skip(missing: &str) {
    let is_required = std::env::var_os("WEIR_REQUIRE_BROWSER").is_some_and(|value| value == "1");
    assert!(!is_required, "{missing}");
    let _ = writeln!(std::io::stderr(), "skipped: {missing}");
}
