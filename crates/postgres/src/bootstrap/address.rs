//! From the administrator's database URL to a role's.

use secrecy::ExposeSecret;
use url::Url;

use super::Role;
use crate::Error;
use crate::quote::url_part;

/// The URL by which `role` reaches the server and database of `admin_url`.
///
/// Options in the query (`host` of a socket, `sslmode`, ..) stay; the administrator's name and
/// password go, wherever they stand.
///
/// # Errors
/// When `admin_url` is not a URL.
pub fn role_url(admin_url: &str, role: &Role) -> Result<String, Error> {
    let url = Url::parse(admin_url)?;
    Ok(with_login(url, role.name, role.password.expose_secret()))
}

/// Puts a login in a URL. One without a host (`postgres:///db?host=/run`) has no room for it
/// before the `@`, so there it goes into the query.
pub(crate) fn with_login(mut url: Url, name: &str, password: &str) -> String {
    drop_login_from_query(&mut url);
    let (name, password) = (url_part(name), url_part(password));
    if url.set_username(&name).is_err() || url.set_password(Some(&password)).is_err() {
        let login = format!("user={name}&password={password}");
        let query = match url.query() {
            Some(rest) if !rest.is_empty() => format!("{rest}&{login}"),
            Some(_) | None => login,
        };
        url.set_query(Some(&query));
    }
    url.into()
}

fn drop_login_from_query(url: &mut Url) {
    let Some(query) = url.query() else { return };
    let kept: Vec<&str> =
        query.split('&').filter(|pair| !pair.starts_with("user=") && !pair.starts_with("password=")).collect();
    let kept = kept.join("&");
    url.set_query(if kept.is_empty() { None } else { Some(&kept) });
}

#[cfg(test)]
mod tests {
    use super::{Role, role_url};

    fn url_for(admin_url: &str) -> String {
        role_url(admin_url, &Role::new("kontor_a", "a", "p%/x".into())).unwrap()
    }

    #[test]
    fn over_tcp_the_role_replaces_the_administrator_and_the_options_stay() {
        assert_eq!(
            url_for("postgres://admin:old@db.example:5433/shop?sslmode=require&user=b&password=c"),
            "postgres://kontor_a:p%25%2Fx@db.example:5433/shop?sslmode=require"
        );
    }

    #[test]
    fn a_socket_in_the_query_stays_and_only_the_login_changes() {
        let url = url_for("postgres://admin@localhost/shop?host=/run/pg&port=5432");
        assert_eq!(url, "postgres://kontor_a:p%25%2Fx@localhost/shop?host=/run/pg&port=5432");
    }

    #[test]
    fn a_url_without_a_host_carries_the_login_in_its_query() {
        let url = url_for("postgres:///shop?host=/run/pg&user=admin");
        assert_eq!(url, "postgres:///shop?host=/run/pg&user=kontor_a&password=p%25%2Fx");
    }

    #[test]
    fn what_is_no_url_is_refused_without_repeating_it() {
        let role = Role::new("kontor_a", "a", "p".into());
        let error = role_url("hunter2", &role).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
