//! `cargo xtask openapi`: writes the document that the server's own handlers declare. A test fails when it is stale.

use std::fs;

use anyhow::{Context as _, Result, ensure};

use crate::{arguments::Arguments, interrupt, process, report, workspace};

const FILE: &str = "openapi/openapi.json";

pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    arguments.finish()?;
    interrupt::listen()?;
    let document = process::capture(&mut workspace::cargo(&["run", "--quiet", "--bin", "millrace", "--", "openapi"]))?;
    ensure!(document.starts_with('{'), "`millrace openapi` printed no JSON document");
    let file = workspace::root().join(FILE);
    let unchanged = fs::read_to_string(&file).is_ok_and(|before| before == document);
    fs::write(&file, document).with_context(|| format!("cannot write {}", file.display()))?;
    report::progress(&format!("{FILE} is {}", if unchanged { "as it was" } else { "written anew" }));
    Ok(true)
}
