//! `weir test`: runs the connectors of a graph against recorded responses, without a network.
//!
//! Prints one line per test, and the differences of a test that fails. With `--watch`, polls the
//! modification times of all files that were read, and runs all tests again after a change; it does
//! not use file system notifications, because they differ between operating systems.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use schema::diagnostic::{Code, Diagnostic};
use schema::span::Document;

use self::evaluate::Difference;
use self::files::FileStamps;
use self::suite::{Suite, Test};
use self::test_graph::{ConfiguredProject, TestGraph};
use super::{Failed, print};

mod diff;
mod evaluate;
mod expect;
mod files;
mod input;
mod suite;
mod test_graph;

/// Runs the tests in `paths`; fails if a test fails, or if there are no tests.
pub(super) fn run(paths: &[PathBuf], config: Option<&Path>) -> Result<(), Failed> {
    TestRun::run(&files::test_files(paths), config).result()
}

/// Runs the tests in `paths` again after each change of a file, until the process is stopped.
pub(super) fn watch(paths: &[PathBuf], config: Option<&Path>) -> ! {
    let mut dependencies = BTreeSet::new();
    loop {
        let files = files::test_files(paths);
        // Read before the run, so that a change during the run is noticed.
        let mut stamps = file_stamps(paths, &dependencies);
        let run = TestRun::run(&files, config);
        if run.dependencies != dependencies {
            dependencies = run.dependencies;
            stamps = file_stamps(paths, &dependencies);
        }
        print::note("waiting for a change; Ctrl-C stops");
        while file_stamps(paths, &dependencies) == stamps {
            std::thread::sleep(POLL_INTERVAL);
        }
    }
}

fn file_stamps(paths: &[PathBuf], dependencies: &BTreeSet<PathBuf>) -> FileStamps {
    let dependencies = dependencies.iter().cloned();
    FileStamps::read(files::test_files(paths).into_iter().chain(dependencies))
}

/// Interval between two looks at the files: seems immediate, and uses hardly any CPU.
const POLL_INTERVAL: Duration = Duration::from_millis(300);

/// The result of running all tests once.
#[derive(Debug, Default)]
struct TestRun {
    passed: usize,
    failed: usize,
    skipped: usize,
    /// Number of test files, or configurations, with errors.
    unreadable: usize,
    /// All files that the result depends on, except the test files.
    dependencies: BTreeSet<PathBuf>,
}

impl TestRun {
    fn run(files: &[PathBuf], config: Option<&Path>) -> Self {
        let mut run = Self::default();
        run.dependencies.extend(config.map(Path::to_owned));
        let Ok(configured) = config.map(ConfiguredProject::read).transpose() else {
            run.unreadable += 1;
            return run;
        };
        if let Some(configured) = &configured {
            run.dependencies.extend(configured.schema_paths());
        }
        for file in files {
            run.run_file(file, configured.as_ref());
        }
        print::output(&run.summary(files.len()));
        run
    }

    fn result(&self) -> Result<(), Failed> {
        let ran = self.passed + self.failed + self.skipped;
        if self.failed + self.unreadable > 0 || ran == 0 {
            return Err(Failed);
        }
        Ok(())
    }

    fn summary(&self, files: usize) -> String {
        if files == 0 {
            return "there are no tests; pass files, or folders with `*.connector.yml`".to_owned();
        }
        let mut text = format!(
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        );
        if self.unreadable > 0 {
            let _ = write!(text, ", {} invalid", self.unreadable);
        }
        text
    }

    fn run_file(&mut self, path: &Path, configured: Option<&ConfiguredProject<'_>>) {
        let mut diagnostics = Vec::new();
        let suite = self.read_suite(path, &mut diagnostics);
        let graph = suite.as_ref().and_then(|suite| {
            self.dependencies.insert(suite.schema.clone());
            let (graph, graph_diagnostics) = TestGraph::load(suite, configured);
            diagnostics.extend(graph_diagnostics);
            graph
        });
        if let (Some(suite), Some(graph)) = (&suite, &graph) {
            let mut text = format!("{}\n", path.display());
            for test in &suite.tests {
                self.run_test(test, graph, &mut diagnostics, &mut text);
            }
            print::output(&text);
        } else {
            self.unreadable += 1;
        }
        if !diagnostics.is_empty() {
            print::note(&print::rendered(&diagnostics));
        }
    }

    /// Reads the suite in a file; `None` if it has an error.
    fn read_suite(&mut self, path: &Path, diagnostics: &mut Vec<Diagnostic>) -> Option<Suite> {
        let name = path.display().to_string();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("cannot read `{name}`: {error}");
                diagnostics.push(Diagnostic::without_span(Code::FileUnreadable, message));
                return None;
            }
        };
        let read_suite = suite::read_suite(&Document::new(name, text), path);
        self.dependencies.extend(read_suite.files);
        let is_valid = !read_suite.problems.has_errors();
        let mut problems = read_suite.problems.into_vec();
        problems.sort_by_key(|diagnostic| {
            let first = diagnostic.labels.first();
            first.map_or(0, |label| label.span.range.start)
        });
        diagnostics.extend(problems);
        read_suite.suite.filter(|_| is_valid)
    }

    fn run_test(
        &mut self,
        test: &Test,
        graph: &TestGraph,
        diagnostics: &mut Vec<Diagnostic>,
        text: &mut String,
    ) {
        if test.skip {
            self.skipped += 1;
            return write_result("skip", test, text);
        }
        let connector_test = graph.connector_test(test);
        let differences = connector_test.map(|found| evaluate::differences(&found, test));
        if differences.as_ref().is_ok_and(Vec::is_empty) {
            self.passed += 1;
            return write_result("ok", test, text);
        }
        self.failed += 1;
        write_result("FAIL", test, text);
        match differences {
            Ok(differences) => write_differences(&differences, text),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
}

fn write_result(result: &str, test: &Test, text: &mut String) {
    let _ = writeln!(text, "  {result:<4}  {}", test.name);
}

fn write_differences(differences: &[Difference], text: &mut String) {
    for Difference { name, text: lines } in differences {
        let _ = writeln!(text, "        {name} (- expected, + found)");
        for line in lines.lines() {
            let _ = writeln!(text, "          {line}");
        }
    }
}
