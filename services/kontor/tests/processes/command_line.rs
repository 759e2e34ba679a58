//! What the command line tells about itself, and how it refuses.

use crate::launcher::kontor;

fn said_by(args: &[&str]) -> (Option<i32>, String, String) {
    let output = kontor().args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn help_lists_the_commands_and_every_setting_with_its_name_in_the_environment() {
    let (code, help, _) = said_by(&["--help"]);
    assert_eq!(code, Some(0));
    for command in ["up", "import", "rotate-keys", "migrate", "admin-password", "make-env"] {
        let listed = help.lines().any(|line| line.trim_start().starts_with(&format!("{command} ")));
        assert!(listed, "no {command} in:\n{help}");
    }
    for setting in [
        "KONTOR_DATA_DIR",
        "KONTOR_DATABASE_URL",
        "KONTOR_EDGE_ADDR",
        "KONTOR_AUTH_ADDR",
        "KONTOR_CATALOG_ADDR",
        "KONTOR_ORDER_ADDR",
        "KONTOR_PSP_ADDR",
        "KONTOR_KEY_ROTATION_DAYS",
        "KONTOR_ADMIN_EMAIL",
        "KONTOR_ADMIN_PASSWORD",
        "KONTOR_SAMPLE",
        "KONTOR_SMTP_URL",
        "KONTOR_MAIL_FROM",
        "KONTOR_LINK_ORIGIN",
        "KONTOR_METRICS_ADDR",
        "KONTOR_LOG_FORMAT",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "RUST_LOG",
    ] {
        assert!(help.contains(setting), "no {setting} in:\n{help}");
    }
}

#[test]
fn help_shows_no_secret_from_the_environment() {
    let mut command = kontor();
    command.arg("--help").env("KONTOR_ADMIN_PASSWORD", "hunter2").env("KONTOR_DATABASE_URL", "hunter3");
    command.env("KONTOR_SMTP_URL", "smtp://hunter4");
    let help = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(!help.contains("hunter"), "{help}");
}

#[test]
fn what_it_does_not_know_is_refused_with_2() {
    for args in [&["--no-such-flag"][..], &["no-such-command"], &["up", "--edge-addr", "nowhere"], &["import"]] {
        let (code, said, complained) = said_by(args);
        assert_eq!((code, said.as_str()), (Some(2), ""), "{args:?}");
        assert!(complained.starts_with("error: ") && complained.contains("try '--help'"), "{args:?}: {complained}");
    }
}
