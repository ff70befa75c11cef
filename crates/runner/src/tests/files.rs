//! Files of the command line.

use bytes::Bytes;
use millrace_nodes::NodeHost;

use super::stage::{frozen, globals, options};
use crate::LocalHost;

#[tokio::test]
async fn only_the_folders_allowed() {
    let (inside, outside) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let mut options = options();
    options.allowed_folders = vec![inside.path().to_owned(), "/does/not/exist".into()];
    let host = LocalHost::new(options, globals(frozen()));
    let path = |folder: &tempfile::TempDir, name: &str| folder.path().join(name).to_string_lossy().into_owned();
    std::fs::write(path(&outside, "secret.txt"), "secret").expect("written");
    std::os::unix::fs::symlink(outside.path(), path(&inside, "link")).expect("linked");

    host.write_file(&path(&inside, "a.txt"), Bytes::from("one"), false).await.expect("written");
    host.write_file(&path(&inside, "a.txt"), Bytes::from("two"), true).await.expect("appended");
    assert_eq!(host.read_file(&path(&inside, "a.txt")).await.expect("read"), "onetwo");
    host.write_file(&path(&inside, "a.txt"), Bytes::from("new"), false).await.expect("replaced");
    assert_eq!(host.read_file(&path(&inside, "a.txt")).await.expect("read"), "new");

    let up = format!("{}/../{}/secret.txt", path(&inside, ""), outside.path().file_name().unwrap().to_string_lossy());
    for secret in [path(&outside, "secret.txt"), path(&inside, "link/secret.txt"), up] {
        let refused = host.read_file(&secret).await.expect_err("refused");
        assert_eq!(refused.message, format!("Access to the file is not allowed: \"{secret}\""));
        let refused = host.write_file(&secret, Bytes::new(), false).await.expect_err("refused");
        assert!(refused.message.starts_with("Access to the file is not allowed"), "{}", refused.message);
    }
    let missing = host.read_file(&path(&inside, "none.txt")).await.expect_err("missing");
    assert!(missing.message.ends_with("could not be accessed."), "{}", missing.message);
    let nowhere = host.write_file(&path(&inside, "none/a.txt"), Bytes::new(), false).await.expect_err("no folder");
    assert!(nowhere.message.ends_with("is not writable."), "{}", nowhere.message);
    assert_eq!(std::fs::read_to_string(path(&outside, "secret.txt")).expect("read"), "secret");
}

#[tokio::test]
async fn patterns_find_files_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["b.txt", "a.txt", "c.csv", "d.png"] {
        std::fs::write(folder.path().join(name), name).expect("written");
    }
    std::fs::create_dir(folder.path().join("e.txt")).expect("a folder");
    let mut options = options();
    options.allowed_folders = vec![folder.path().to_owned()];
    let host = LocalHost::new(options, globals(frozen()));
    for (pattern, expected) in [("*.txt", "a.txt b.txt"), ("*.{csv,txt}", "a.txt b.txt c.csv"), ("none*", "")] {
        let found = host.find_files(&format!("{}/{pattern}", folder.path().display())).await.expect("a pattern");
        let names = found.iter().map(|entry| entry.path.rsplit('/').next().unwrap_or_default());
        assert_eq!(names.collect::<Vec<_>>().join(" "), expected, "{pattern}");
        assert!(found.iter().all(|entry| entry.bytes == 5));
    }
    assert!(host.find_files("/etc/pass*").await.expect("a pattern").is_empty(), "outside");
    assert!(host.find_files("a***b").await.is_err());
}

#[tokio::test]
async fn commands_only_where_allowed() {
    let refused = LocalHost::new(options(), globals(frozen())).run_command("echo hi").await.expect_err("refused");
    assert_eq!(refused.message, "Running commands is not allowed here");
    let mut options = options();
    options.commands = true;
    let host = LocalHost::new(options, globals(frozen()));
    let output = host.run_command("echo hi; echo no >&2; exit 3").await.expect("ran");
    assert_eq!(output, (3, "hi\n".to_owned(), "no\n".to_owned()));
}
