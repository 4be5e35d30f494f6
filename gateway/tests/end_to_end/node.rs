//! Scripts of a folder of these tests, run by Node.
//!
//! Where something that a script needs is missing, its test says so and passes, unless
//! `WEIR_REQUIRE_BROWSER` is set, as `make test` does after it has installed everything.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

/// A folder of `tests` with a script, a `package.json` and what `npm ci` makes of it.
#[derive(Clone, Copy)]
pub(crate) struct Scripts {
    pub(crate) folder: &'static str,
    /// A package that is there once all are installed.
    pub(crate) package: &'static str,
}

impl Scripts {
    /// What to do before a script can run; `None` when it can.
    pub(crate) async fn missing(self) -> Option<String> {
        if !self.path().join("node_modules").join(self.package).exists() {
            return Some(format!(
                "{} is not installed: run `npm ci` in gateway/tests/{}",
                self.package, self.folder
            ));
        }
        let version = Command::new("node").arg("--version").output().await;
        version.is_err().then(|| "there is no `node`".to_owned())
    }

    /// Runs `node script argument` to its end; panics with all it printed when it fails.
    pub(crate) async fn run(self, script: &str, argument: &str, patience: Duration) -> String {
        let running = Command::new("node")
            .args([script, argument])
            .current_dir(self.path())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(patience, running)
            .await
            .expect("the script ends")
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

/// Says why a test is skipped; panics where nothing may be.
pub(crate) fn skip(missing: &str) {
    let is_required = std::env::var_os("WEIR_REQUIRE_BROWSER").is_some();
    assert!(!is_required, "{missing}");
    let _ = writeln!(std::io::stderr(), "skipped: {missing}");
}
