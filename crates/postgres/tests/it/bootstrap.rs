//! Roles and schemas: made again without harm, by anybody who may, and closed to each other.

use kontor_postgres::testing::{TestDatabase, role, server};
use kontor_postgres::{Role, bootstrap, role_of_others, role_url};
use sqlx::{Connection, Executor, PgConnection};

fn roles() -> [Role; 2] {
    [role("boot_a", "a"), role("boot_b", "b")]
}

async fn database() -> TestDatabase {
    server().await.unwrap().database(&roles()).await.unwrap()
}

async fn login(database: &TestDatabase, role: &Role) -> PgConnection {
    PgConnection::connect(&database.url(role)).await.unwrap()
}

fn state(error: &sqlx::Error) -> String {
    error.as_database_error().unwrap().code().unwrap().into_owned()
}

#[tokio::test]
async fn a_role_cannot_read_or_write_in_another_ones_schema() {
    let database = database().await;
    let [a, b] = roles();
    login(&database, &b).await.execute("CREATE TABLE secret (id int)").await.unwrap();
    let mut conn = login(&database, &a).await;
    for sql in ["SELECT * FROM b.secret", "CREATE TABLE b.mine (id int)"] {
        assert_eq!(state(&conn.execute(sql).await.unwrap_err()), "42501", "{sql}");
    }
}

#[tokio::test]
async fn nobody_creates_in_the_public_schema() {
    let database = database().await;
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    // As it was before Postgres 15.
    admin.execute("GRANT CREATE ON SCHEMA public TO PUBLIC").await.unwrap();
    bootstrap(&database.admin_url(), &roles()).await.unwrap();
    let mut conn = login(&database, &roles()[0]).await;
    let error = conn.execute("CREATE TABLE public.t (id int)").await.unwrap_err();
    assert_eq!(state(&error), "42501");
}

#[tokio::test]
async fn unqualified_names_are_in_the_roles_own_schema() {
    let database = database().await;
    let mut conn = login(&database, &roles()[0]).await;
    conn.execute("CREATE TABLE t (id int)").await.unwrap();
    conn.execute("SELECT * FROM a.t").await.unwrap();
}

#[tokio::test]
async fn run_again_it_keeps_data_and_sets_the_new_password() {
    let database = database().await;
    let before = role("boot_again", "again");
    bootstrap(&database.admin_url(), std::slice::from_ref(&before)).await.unwrap();
    login(&database, &before).await.execute("CREATE TABLE t (id int)").await.unwrap();
    let after = Role { password: "another 'one'/%".into(), ..before.clone() };
    bootstrap(&database.admin_url(), std::slice::from_ref(&after)).await.unwrap();
    login(&database, &after).await.execute("SELECT * FROM t").await.unwrap();
    let error = PgConnection::connect(&database.url(&before)).await.unwrap_err();
    assert_eq!(state(&error), "28P01");
}

#[tokio::test]
async fn many_at_once_all_succeed() {
    let database = database().await;
    let fresh = [role("boot_race_a", "race_a"), role("boot_race_b", "race_b")];
    let url = database.admin_url();
    let runs = (0..8).map(|_| bootstrap(&url, &fresh));
    for outcome in futures_util::future::join_all(runs).await {
        outcome.unwrap();
    }
}

#[tokio::test]
async fn an_administrator_need_not_be_a_superuser() {
    let database = database().await;
    let mut superuser = PgConnection::connect(&database.admin_url()).await.unwrap();
    let name: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut superuser).await.unwrap();
    let lesser = role("boot_lesser_admin", "unused");
    bootstrap(&database.admin_url(), std::slice::from_ref(&lesser)).await.unwrap();
    for sql in [
        "ALTER ROLE boot_lesser_admin CREATEROLE".to_owned(),
        format!("GRANT CREATE ON DATABASE {name} TO boot_lesser_admin"),
    ] {
        superuser.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    }
    let made = role("boot_by_lesser", "by_lesser");
    let lesser_url = role_url(&database.admin_url(), &lesser).unwrap();
    for _ in 0..2 {
        bootstrap(&lesser_url, std::slice::from_ref(&made)).await.unwrap();
    }
    login(&database, &made).await.execute("CREATE TABLE t (id int)").await.unwrap();
}

#[tokio::test]
async fn an_administrator_without_the_rights_is_told_which_are_missing() {
    let database = database().await;
    let weak = role("boot_weak_admin", "weak");
    bootstrap(&database.admin_url(), std::slice::from_ref(&weak)).await.unwrap();
    let weak_url = role_url(&database.admin_url(), &weak).unwrap();
    let refused = bootstrap(&weak_url, &[role("boot_by_weak", "by_weak")]).await.unwrap_err().to_string();
    assert!(refused.contains("needs CREATEROLE") && refused.contains("permission denied"), "{refused}");
    assert!(!refused.contains("at line"), "{refused}");
}

#[tokio::test]
async fn a_role_with_another_password_is_of_another_installation() {
    let database = database().await;
    let (ours, missing) = (role("boot_ours", "ours"), role("boot_missing", "missing"));
    bootstrap(&database.admin_url(), std::slice::from_ref(&ours)).await.unwrap();
    let found = role_of_others(&database.admin_url(), &[missing.clone(), ours.clone()]).await.unwrap();
    assert_eq!(found, None);
    let theirs = Role { password: "another".into(), ..ours };
    assert_eq!(role_of_others(&database.admin_url(), &[missing, theirs]).await.unwrap(), Some("boot_ours"));
}

#[tokio::test]
async fn names_are_quoted() {
    let database = database().await;
    let odd = role("boot \"odd\"; --", "Sch\"ema");
    bootstrap(&database.admin_url(), std::slice::from_ref(&odd)).await.unwrap();
    let mut conn = login(&database, &odd).await;
    let schema: String = sqlx::query_scalar("SELECT current_schema()::text").fetch_one(&mut conn).await.unwrap();
    assert_eq!(schema, odd.schema);
}
