//! The report: what was measured on which machine, as Markdown, with every ratio to the peer and to the machine's limits.

use std::{fmt::Write as _, fs, path::PathBuf, process::Command};

use anyhow::{Context as _, Result};

use super::{
    Plan,
    measured::{Figure, Measured},
    scenarios::{CONNECTIONS, SCENARIOS},
};
use crate::{process, workspace};

pub(super) fn write(plan: &Plan, measured: &Measured, output: Option<PathBuf>) -> Result<PathBuf> {
    let date = process::capture(Command::new("date").arg("+%Y-%m-%d"))?;
    let file = output.unwrap_or_else(|| workspace::root().join(format!("bench/results/{}.md", date.trim())));
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(&file, text(plan, measured, date.trim())?).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

fn text(plan: &Plan, measured: &Measured, date: &str) -> Result<String> {
    let mut text = format!("# Measured on {date}\n\n{}\n", machine(plan)?);
    text.push_str("## Webhooks\n\n");
    let with_peer = plan.peers.iter().any(|name| name == "n8n");
    text.push_str("| scenario | callers | req/s | p50 ms | p99 ms | of bare HTTP | of bare inserts |");
    text.push_str(if with_peer { " n8n req/s | n8n p99 ms | **req/s ratio** | **p99 ratio** |\n" } else { "\n" });
    text.push_str("|---|---|---|---|---|---|---|");
    text.push_str(if with_peer { "---|---|---|---|\n" } else { "\n" });
    let inserts = measured.of("floor", "insert", 0, "rows/s");
    for scenario in SCENARIOS {
        for connections in CONNECTIONS {
            let of = |who: &str, unit: &str| measured.of(who, scenario.name, connections, unit);
            let Some(rate) = of("millrace", "req/s") else { continue };
            let bare = measured.of("floor", "http", connections, "req/s");
            write!(
                text,
                "| {} | {connections} | {} | {} | {} | {} | {} |",
                scenario.name,
                shown(Some(rate)),
                shown(of("millrace", "p50 ms")),
                shown(of("millrace", "p99 ms")),
                ratio(Some(rate), bare),
                ratio(Some(rate), inserts),
            )?;
            if with_peer {
                let (their_rate, their_p99) = (of("n8n", "req/s"), of("n8n", "p99 ms"));
                let rates = ratio(Some(rate), their_rate);
                let times = ratio(their_p99, of("millrace", "p99 ms"));
                write!(text, " {} | {} | **{rates}** | **{times}** |", shown(their_rate), shown(their_p99))?;
            }
            text.push('\n');
        }
    }
    text.push_str("\n## The rest\n\n| what | Millrace |");
    text.push_str(if with_peer { " n8n | **ratio** |\n|---|---|---|---|\n" } else { "\n|---|---|\n" });
    for (scenario, unit, connections) in [
        ("items-100k", "s", 0),
        ("items-100k", "MB", 0),
        ("items-1m", "s", 0),
        ("items-1m", "MB", 0),
        ("cold-start", "ms", 0),
        ("memory idle", "MB", 0),
        ("memory after load", "MB", 0),
        ("list on SQLite", "p99 ms", 1),
        ("list on PostgreSQL", "p99 ms", 1),
    ] {
        let (own, theirs) =
            (measured.of("millrace", scenario, connections, unit), measured.of("n8n", scenario, connections, unit));
        let Some(own) = own else { continue };
        write!(text, "| {scenario}, {unit} | {} |", shown(Some(own)))?;
        if with_peer {
            write!(text, " {} | **{}** |", shown(theirs), ratio(theirs, Some(own)))?;
        }
        text.push('\n');
    }
    text.push_str("\n## The machine's limits\n\n| what | figure |\n|---|---|\n");
    for connections in CONNECTIONS {
        let bare = measured.of("floor", "http", connections, "req/s");
        writeln!(text, "| (a) the web server alone, {connections} callers, req/s | {} |", shown(bare))?;
    }
    writeln!(text, "| (b) group-committed inserts of the same row alone, rows/s | {} |", shown(inserts))?;
    Ok(text)
}

fn machine(plan: &Plan) -> Result<String> {
    let shell = |script: &str| process::capture(Command::new("sh").args(["-c", script]));
    let model = shell("sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1")?;
    let (cores, memory) = (shell("nproc")?, shell("sed -n 's/^MemTotal: *//p' /proc/meminfo")?);
    let (system, load) = (shell("uname -sr | cut -d- -f1")?, shell("cut -d' ' -f1-3 /proc/loadavg")?);
    let (revision, compiler) = (shell("git rev-parse --short HEAD")?, shell("rustc --version")?);
    let peers = plan.peers.iter().map(|name| format!(" --peer {name}")).collect::<String>();
    Ok(format!(
        "Machine: {} × {}, {}, {}; load average at the end {}.\n\
         Versions: Millrace {}, {}{}.\n\
         Command: `cargo xtask bench{peers} --seconds {} --rounds {}`. Medians of the rounds, in brackets the least and the most.\n\
         Load generator and servers share the cores. Every execution is recorded with its data on both sides. Millrace stores in \
         SQLite (WAL, `synchronous = normal`: survives a killed process, not a power loss), n8n in SQLite with its defaults.\n",
        cores.trim(),
        model.trim(),
        memory.trim(),
        system.trim(),
        load.trim(),
        revision.trim(),
        compiler.trim(),
        if peers.is_empty() { "" } else { ", n8n 2.8.4 on Node 24" },
        plan.seconds,
        plan.rounds,
    ))
}

/// `1,234 (1,200–1,300)`, with as many digits as matter.
fn shown(figure: Option<Figure>) -> String {
    let Some(Figure { median, least, most }) = figure else { return "–".to_owned() };
    if least.total_cmp(&most).is_eq() {
        return number(median);
    }
    format!("{} ({}–{})", number(median), number(least), number(most))
}

fn ratio(above: Option<Figure>, below: Option<Figure>) -> String {
    match (above, below) {
        (Some(above), Some(below)) if below.median > 0.0 => number(above.median / below.median),
        _ => "–".to_owned(),
    }
}

fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_show_as_many_digits_as_matter() {
        let figure = |median, least, most| Some(Figure { median, least, most });
        assert_eq!(shown(figure(1234.5, 1200.0, 1300.0)), "1234 (1200–1300)");
        assert_eq!(shown(figure(0.5, 0.5, 0.5)), "0.50");
        assert_eq!(ratio(figure(300.0, 0.0, 0.0), figure(2.0, 0.0, 0.0)), "150");
        assert_eq!(ratio(figure(300.0, 0.0, 0.0), None), "–");
    }
}
