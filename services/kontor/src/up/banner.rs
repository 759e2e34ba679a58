//! What a person sees when everything runs: addresses, the administrator, and what to try next.

use secrecy::ExposeSecret;

use crate::cli::Up;
use crate::say;
use crate::secrets::Secrets;

pub(super) fn show(up: &Up, secrets: &Secrets, database: Option<&str>) {
    let edge = format!("http://{}", up.edge_addr);
    say("");
    say("Kontor is ready.");
    say("");
    for (name, address) in [
        ("HTTP/JSON", edge.clone()),
        mail(up, &edge),
        ("auth", format!("{}   gRPC, with reflection", up.auth_addr)),
        ("catalog", format!("{}   gRPC, with reflection", up.catalog_addr)),
        ("order", format!("{}   gRPC, with reflection", up.order_addr)),
        ("sandbox-psp", format!("{}   gRPC, a payment provider that takes no money", up.psp_addr)),
    ] {
        say(format_args!("  {name:<14} {address}"));
    }
    say(format_args!("  {:<14} {}", "administrator", administrator(up, secrets)));
    if let Some(hint) = database {
        say(format_args!("  {:<14} {hint}", "database"));
    }
    say("");
    say("Try:");
    say(format_args!("  curl '{edge}/v1/products?pageSize=3'"));
    say(format_args!("  curl {edge}/v1/products/pour-over-kettle"));
    say(format_args!("  curl -X POST {edge}/v1/carts"));
    let kontor = std::env::args().next().unwrap_or_else(|| "kontor".into());
    say(format_args!("  {kontor} import YOUR_PRODUCTS.csv --dry-run{}", where_it_is(up)));
    say(format_args!("  {kontor} --help"));
    say("");
    say("The README walks through a purchase. Ctrl-C stops everything; data is kept.");
}

fn mail(up: &Up, edge: &str) -> (&'static str, String) {
    match &up.mail_from {
        Some(from) if up.sends_mail() => ("mail", format!("is sent, as from {from}")),
        _ => ("mailbox", format!("{edge}/dev/mailbox   (mails are shown here; none is sent)")),
    }
}

/// What a command needs to find this Kontor, if it is not where Kontor is by default.
fn where_it_is(up: &Up) -> String {
    let mut flags = String::new();
    if up.catalog_addr.port() != 7102 || up.auth_addr.port() != 7101 {
        flags = format!(" --catalog-addr {} --auth-addr {}", up.catalog_addr, up.auth_addr);
    }
    match &up.data_dir {
        Some(data_dir) => format!("{flags} --data-dir {}", data_dir.display()),
        None => flags,
    }
}

/// The password is shown once, by the first start that comes so far.
fn administrator(up: &Up, secrets: &Secrets) -> String {
    let email = &up.admin_email;
    match (!secrets.is_password_told, &up.admin_password) {
        (true, None) => format!("{email}   password: {}", secrets.admin_password.expose_secret()),
        (true, Some(_)) => format!("{email}   with the password that you chose"),
        (false, _) => format!("{email}   password: as on the first start; `kontor admin-password` prints it"),
    }
}
