//! Child processes, each in a process group of its own, so that nothing survives Ctrl-C or a failure.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read, Write as _},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, test_kill_process_group, waitpid};

use crate::{interrupt, report};

/// How long a group may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(10);

static LIVE: Mutex<Vec<(Pid, Signal)>> = Mutex::new(Vec::new());

/// Runs a command to its end; its output goes where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<ExitStatus> {
    Running::spawn(command.stdin(Stdio::null()), Signal::TERM)?.wait()
}

/// Runs a command that must succeed and gives what it wrote to standard output; its errors go where ours go.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let mut running = Running::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()), Signal::TERM)?;
    let output = running.child.stdout.take().map(read_all).unwrap_or_default();
    let status = running.wait()?;
    ensure!(status.success(), "{} failed: {}", describe(command), describe_status(status));
    Ok(output)
}

/// Runs a command with `input`, and gives all that it wrote, errors too, whether it succeeded or not.
pub(crate) fn converse(command: &mut Command, input: &str) -> Result<(ExitStatus, String)> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running::spawn(command, Signal::TERM)?;
    let (stdin, stdout, stderr) =
        (running.child.stdin.take(), running.child.stdout.take(), running.child.stderr.take());
    let output = thread::scope(|scope| {
        let errors = scope.spawn(|| stderr.map(read_all).unwrap_or_default());
        // A program that ends without reading its input says why in its output.
        scope.spawn(|| stdin.map(|mut stdin| stdin.write_all(input.as_bytes()).ok()));
        let output = stdout.map(read_all).unwrap_or_default();
        output + &errors.join().unwrap_or_default()
    });
    Ok((running.wait()?, output))
}

/// Runs a command, passes on every line it writes, and calls `watch` with it.
pub(crate) fn run_watched(command: &mut Command, watch: &(dyn Fn(&str) + Sync)) -> Result<ExitStatus> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running::spawn(command, Signal::TERM)?;
    let (stdout, stderr) = (running.child.stdout.take(), running.child.stderr.take());
    thread::scope(|scope| {
        scope.spawn(|| stdout.map(|pipe| pass_lines_on(pipe, watch)));
        scope.spawn(|| stderr.map(|pipe| pass_lines_on(pipe, watch)));
    });
    running.wait()
}

/// `cargo fmt --check`: the program without its directory, and its arguments.
pub(crate) fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// `exit code 1` or `signal 9`.
pub(crate) fn describe_status(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown end".to_owned(),
    }
}

/// A server in the background, with its output in a file. Stopped when dropped.
pub(crate) struct Daemon {
    running: Option<Running>,
}

impl Daemon {
    /// Starts `command`; `stop` is the signal that ends it in an orderly way.
    pub(crate) fn spawn(command: &mut Command, log: &Path, stop: Signal) -> Result<Self> {
        let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let errors = output.try_clone()?;
        let running = Running::spawn(command.stdin(Stdio::null()).stdout(output).stderr(errors), stop)?;
        Ok(Self { running: Some(running) })
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.running.as_mut().and_then(|running| running.child.try_wait().ok().flatten())
    }

    /// Its process id.
    pub(crate) fn id(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.child.id())
    }

    /// Lets it outlive this program; the answer is its process and group id.
    pub(crate) fn detach(mut self) -> Option<u32> {
        let running = self.running.take()?;
        running.forget();
        Some(running.child.id())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            interrupt::stand_still_if_interrupted();
            kill_process_group(running.group, running.stop).ok();
            end_group(running.group);
            running.forget();
        }
    }
}

/// Stops every child and what it started: for a program about to be ended by a signal.
pub(crate) fn stop_all() {
    let live = std::mem::take(&mut *LIVE.lock().unwrap_or_else(PoisonError::into_inner));
    for (group, stop) in &live {
        kill_process_group(*group, *stop).ok();
    }
    for (group, _) in &live {
        end_group(*group);
    }
}

/// Stops process groups that an earlier run of this program started, each with its signal.
pub(crate) fn stop_groups(groups: &[(u32, Signal)]) {
    let pid = |group: u32| i32::try_from(group).ok().and_then(Pid::from_raw);
    for (group, stop) in groups {
        pid(*group).and_then(|group| kill_process_group(group, *stop).ok());
    }
    for (group, _) in groups {
        let deadline = Instant::now() + GRACE;
        // They are no children of ours: who inherited them reaps them in its own time.
        while started_at(*group).is_some() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
        pid(*group).and_then(|group| kill_process_group(group, Signal::KILL).ok());
    }
}

/// What tells a process from a later one with the same id: its start time in clock ticks since boot.
/// `None` when there is no such process.
pub(crate) fn started_at(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in parentheses, may itself hold spaces and parentheses.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace();
    if fields.next()? == "Z" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// A child that is being waited for.
struct Running {
    child: Child,
    group: Pid,
    stop: Signal,
}

impl Running {
    fn spawn(command: &mut Command, stop: Signal) -> Result<Self> {
        // Held while starting: what is started is either in the list that a signal works through, or not started.
        let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
        if interrupt::is_interrupted() {
            drop(live);
            interrupt::stand_still_if_interrupted();
            bail!("interrupted");
        }
        let child = command.process_group(0).spawn().with_context(|| format!("cannot run {}", describe(command)))?;
        let group = Pid::from_child(&child);
        live.push((group, stop));
        Ok(Self { child, group, stop })
    }

    fn wait(mut self) -> Result<ExitStatus> {
        let status = self.child.wait();
        interrupt::stand_still_if_interrupted();
        self.forget();
        Ok(status?)
    }

    fn forget(&self) {
        LIVE.lock().unwrap_or_else(PoisonError::into_inner).retain(|(group, _)| *group != self.group);
    }
}

/// Waits until a group of ours has ended, and kills it when it takes too long.
fn end_group(group: Pid) {
    let deadline = Instant::now() + GRACE;
    while Instant::now() < deadline {
        // Unreaped, the leader would count as alive.
        waitpid(Some(group), WaitOptions::NOHANG).ok();
        if test_kill_process_group(group).is_err() {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    kill_process_group(group, Signal::KILL).ok();
}

fn read_all(mut pipe: impl Read) -> String {
    let mut bytes = Vec::new();
    // What could be read before an error is worth more than the error.
    pipe.read_to_end(&mut bytes).ok();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn pass_lines_on(pipe: impl Read, watch: &(dyn Fn(&str) + Sync)) {
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r']);
        report::pass_on(text);
        watch(text);
        line.clear();
    }
}
