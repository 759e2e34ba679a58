//! Operators and people's accounts: whom they may touch, and that somebody always administers.

use futures_util::future::join;
use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::user::State;
use kontor_runtime::fault::ErrorReason;
use tonic::{Code, Response, Status};

use crate::operators::{ABSENT, DENIED, FORGED, INVALID, LAST, Person, Shop, refusal, sid};
use crate::replicas::waiting_for_locks;
use crate::world::{ADMIN, PASSWORD, reason};

async fn rename(
    shop: &Shop,
    by: &Person,
    user: pb::User,
    paths: Option<&[&str]>,
) -> Result<Response<pb::User>, Status> {
    let mut request = pb::UpdateUserRequest { user: Some(user), ..Default::default() };
    if let Some(paths) = paths {
        request.update_mask.get_or_insert_default().paths = paths.iter().map(ToString::to_string).collect();
    }
    shop.users().update_user(by.asks(request)).await
}

#[tokio::test]
async fn support_suspends_customers_and_no_administrator() {
    let shop = Shop::new().await;
    let support = shop.colleague("sue@example.org", "support").await;
    let ada = shop.customer("ada@example.org").await;

    let before = shop.user(&shop.admin.name).await;
    assert_eq!(refusal(shop.suspend(&support, &shop.admin.name).await), DENIED);
    // Who may not delete others does not learn of them.
    assert_eq!(refusal(shop.delete(&support, &shop.admin.name).await), ABSENT);
    assert_eq!(shop.user(&shop.admin.name).await, before);
    shop.auth.refresh(&shop.admin.tokens.refresh_token).await.unwrap();

    let suspended = shop.suspend(&support, &ada.name).await.unwrap().into_inner();
    assert_eq!(suspended.state(), State::Suspended);
    assert_eq!(shop.suspend(&support, &ada.name).await.unwrap().into_inner(), suspended);
    assert!(shop.is_revoked(&sid(&ada.tokens.access_token)).await);
    assert_eq!(reason(shop.auth.refresh(&ada.tokens.refresh_token).await), ErrorReason::RefreshTokenInvalid);
    assert_eq!(reason(shop.auth.sign_in(&ada.email, PASSWORD).await), ErrorReason::AccountSuspended);
    shop.refused(&ada.tokens.access_token).await;

    let request = pb::UnsuspendUserRequest { name: ada.name.clone() };
    let active = shop.users().unsuspend_user(support.asks(request)).await.unwrap().into_inner();
    assert_eq!(active.state(), State::Active);
    shop.auth.sign_in(&ada.email, PASSWORD).await.unwrap();
    shop.refused(&ada.tokens.access_token).await;
    assert_eq!(shop.deeds(&ada.name).await, ["user.unsuspended", "user.suspended"]);
    assert_eq!(shop.events(&ada.name).await.iter().filter(|e| e.actor == support.name).count(), 2);
}

#[tokio::test]
async fn the_permission_alone_is_not_enough_against_who_holds_more() {
    let shop = Shop::new().await;
    let clerk = shop.with_permissions("clerk", &["user.delete", "user.edit", "user.read", "user.suspend"]).await;
    let support = shop.colleague("sue@example.org", "support").await;
    let before = shop.user(&support.name).await;
    for boss in [&support.name, &shop.admin.name] {
        assert_eq!(refusal(shop.delete(&clerk, boss).await), DENIED);
        assert_eq!(refusal(shop.suspend(&clerk, boss).await), DENIED);
        let user = pb::User { name: boss.clone(), display_name: "Eve".into(), ..Default::default() };
        assert_eq!(refusal(rename(&shop, &clerk, user, None).await), DENIED);
    }
    assert_eq!(shop.user(&support.name).await, before);
    assert!(!shop.is_revoked(&sid(&support.tokens.access_token)).await);
    assert!(shop.events(&support.name).await.iter().all(|event| event.actor != clerk.name));
}

#[tokio::test]
async fn nothing_but_the_display_name_changes() {
    let shop = Shop::new().await;
    let ada = shop.customer("ada@example.org").await;
    let before = shop.user(&ada.name).await;
    let (roles, email) = (vec!["administrator".into()], "eve@example.org".into());
    let forged = pb::User { display_name: "Eve".into(), roles, email, ..before.clone() };
    for path in ["roles", "email", "state", "name", "create_time", "password_hash", "displayName", ""] {
        let answer = rename(&shop, &ada, forged.clone(), Some(&["display_name", path])).await;
        assert_eq!(refusal(answer), INVALID, "{path}");
    }
    assert_eq!(refusal(rename(&shop, &ada, forged.clone(), None).await), INVALID);
    assert_eq!(shop.user(&ada.name).await, before);

    let renamed = rename(&shop, &ada, forged.clone(), Some(&["*"])).await.unwrap().into_inner();
    assert_eq!(renamed, pb::User { display_name: "Eve".into(), ..before.clone() });
    let me = pb::User { name: "users/me".into(), ..Default::default() };
    let cleared = rename(&shop, &ada, me, Some(&["display_name"])).await.unwrap().into_inner();
    assert_eq!(cleared, pb::User { display_name: String::new(), ..before });
    assert_eq!(shop.deeds(&ada.name).await, ["user.updated", "user.updated"]);
}

#[tokio::test]
async fn another_users_account_is_not_there() {
    let shop = Shop::new().await;
    let (ada, bob) = (shop.customer("ada@example.org").await, shop.customer("bob@example.org").await);
    let before = shop.user(&bob.name).await;
    let user = pb::User { name: bob.name.clone(), display_name: "Eve".into(), ..Default::default() };
    assert_eq!(refusal(rename(&shop, &ada, user, None).await), ABSENT);
    assert_eq!(refusal(shop.delete(&ada, &bob.name).await), ABSENT);
    assert_eq!(refusal(shop.suspend(&ada, &bob.name).await), DENIED);
    assert_eq!(refusal(shop.users().list_users(ada.asks(pb::ListUsersRequest::default())).await), DENIED);
    assert_eq!(shop.user(&bob.name).await, before);
    shop.auth.refresh(&bob.tokens.refresh_token).await.unwrap();
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let shop = Shop::new().await;
    let (admin, database) = (&shop.admin, shop.database.pool().await);
    let binding = &shop.bindings_of(&admin.name).await[0].name;
    let bob = shop.colleague("bob@example.org", "administrator").await;
    shop.suspend(&bob, &bob.name).await.unwrap();

    // One who is suspended does not count.
    assert_eq!(refusal(shop.suspend(admin, &admin.name).await), LAST);
    assert_eq!(refusal(shop.delete(admin, "users/me").await), LAST);
    assert_eq!(refusal(shop.unbind(admin, binding).await), LAST);
    let user = shop.user(&admin.name).await;
    assert_eq!((user.state(), user.roles), (State::Active, vec!["administrator".into()]));
    shop.auth.refresh(&admin.tokens.refresh_token).await.unwrap();
    let open: i64 = sqlx::query_scalar("SELECT count(*) FROM revocations").fetch_one(&database).await.unwrap();
    assert_eq!(open, 2, "two sessions of the one who is suspended");
}

#[tokio::test]
async fn two_administrators_who_delete_each_other_at_once_leave_one() {
    for _ in 0..5 {
        let shop = Shop::new().await;
        let bob = shop.colleague("bob@example.org", "administrator").await;
        let (one, other) = join(shop.delete(&shop.admin, &bob.name), shop.delete(&bob, &shop.admin.name)).await;
        assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
        let code = one.err().or(other.err()).unwrap().code();
        // Unless the other's token was refused already.
        assert!([Code::FailedPrecondition, Code::Unauthenticated].contains(&code), "{code}");
        let sql = "SELECT count(*) FROM users u JOIN bindings b ON b.member = 'users/' || u.id WHERE b.role = 'administrator'";
        let left: i64 = sqlx::query_scalar(sql).fetch_one(&shop.database.pool().await).await.unwrap();
        assert_eq!(left, 1);
    }
}

#[tokio::test]
async fn two_administrators_who_suspend_each_other_at_once_leave_one() {
    for _ in 0..5 {
        let shop = Shop::new().await;
        let bob = shop.colleague("bob@example.org", "administrator").await;
        let (one, other) = join(shop.suspend(&shop.admin, &bob.name), shop.suspend(&bob, &shop.admin.name)).await;
        assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
        let sql = "SELECT count(*) FROM users WHERE suspend_time IS NULL";
        let left: i64 = sqlx::query_scalar(sql).fetch_one(&shop.database.pool().await).await.unwrap();
        assert_eq!(left, 1);
    }
}

#[tokio::test]
async fn a_deleted_account_leaves_nothing_but_what_was_written_down() {
    let shop = Shop::new().await;
    let ada = shop.customer("ada@example.org").await;
    shop.suspend(&shop.admin, &ada.name).await.unwrap();
    shop.delete(&shop.admin, &ada.name).await.unwrap();
    assert_eq!(refusal(shop.delete(&shop.admin, &ada.name).await), ABSENT);
    assert!(shop.is_revoked(&sid(&ada.tokens.access_token)).await);
    assert_eq!(reason(shop.auth.refresh(&ada.tokens.refresh_token).await), ErrorReason::RefreshTokenInvalid);
    assert_eq!(reason(shop.auth.sign_in(&ada.email, PASSWORD).await), ErrorReason::CredentialsInvalid);
    assert!(shop.bindings_of(&ada.name).await.is_empty());
    assert_eq!(shop.deeds(&ada.name).await, ["user.deleted", "user.suspended"]);
    let pool = shop.database.pool().await;
    let sql = "SELECT count(*) FROM sessions WHERE 'users/' || user_id = $1";
    assert_eq!(sqlx::query_scalar::<_, i64>(sql).bind(&ada.name).fetch_one(&pool).await.unwrap(), 0);

    let bob = shop.customer("bob@example.org").await;
    shop.delete(&bob, "users/me").await.unwrap();
    assert_eq!(shop.events(&bob.name).await[0].actor, bob.name);
}

#[tokio::test]
async fn users_come_in_pages_oldest_first() {
    let shop = Shop::new().await;
    let mut expected = vec![shop.admin.name.clone()];
    for n in 0..4 {
        expected.push(shop.customer(&format!("Ada{n}@example.org")).await.name);
    }
    let list = |request: pb::ListUsersRequest| async {
        shop.users().list_users(shop.admin.asks(request)).await.map(Response::into_inner)
    };
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let page = list(pb::ListUsersRequest { page_size: 2, page_token, ..Default::default() }).await.unwrap();
        found.extend(page.users.into_iter().map(|user| user.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(found, expected);

    let one = list(pb::ListUsersRequest { email: "aDA2@EXAMPLE.org".into(), ..Default::default() }).await.unwrap();
    assert_eq!(one.users, [shop.user(&expected[3]).await]);
    assert_eq!(one.users[0].roles, ["customer"]);
    let admin = list(pb::ListUsersRequest { email: ADMIN.into(), ..Default::default() }).await.unwrap();
    assert_eq!(admin.users[0].roles, ["administrator"]);
    for forged in FORGED {
        let answer = list(pb::ListUsersRequest { page_token: forged.into(), ..Default::default() }).await;
        assert_eq!(refusal(answer.map(Response::new)), INVALID, "{forged}");
    }
}

/// The calls of an administrator who is losing the role wait for the same lock as the loss itself.
#[tokio::test]
async fn whoever_loses_a_role_does_nothing_by_a_call_that_waited_meanwhile() {
    let shop = Shop::new().await;
    let mallory = shop.colleague("mallory@example.org", "administrator").await;
    let pool = shop.database.pool().await;
    let mut held = pool.begin().await.unwrap();
    sqlx::query("SELECT id FROM setup WHERE id = 1 FOR UPDATE").execute(&mut *held).await.unwrap();
    let (binding, key) = (mallory.clone(), mallory.clone());
    let rescue = async { shop.bind(&binding, "administrator", &mallory.name).await };
    let back_door = async {
        let service_account = Some(pb::ServiceAccount::default());
        let request = pb::CreateServiceAccountRequest { service_account_id: "back-door".into(), service_account };
        shop.accounts().create_service_account(key.asks(request)).await
    };
    let loss = async {
        waiting_for_locks(&pool, 2).await;
        let member = "DELETE FROM bindings WHERE member = $1 AND role = 'administrator'";
        sqlx::query(member).bind(&mallory.name).execute(&mut *held).await.unwrap();
        let token = "INSERT INTO revocations (sid, expire_time) VALUES ($1::uuid, now() + interval '6 minutes')";
        sqlx::query(token).bind(sid(&mallory.tokens.access_token)).execute(&mut *held).await.unwrap();
        held.commit().await.unwrap();
    };
    let (rescued, opened, ()) = tokio::join!(rescue, back_door, loss);
    let revoked = (Code::Unauthenticated, ErrorReason::TokenRevoked);
    assert_eq!((refusal(rescued), refusal(opened)), (revoked, revoked));
    assert!(shop.bindings_of(&mallory.name).await.iter().all(|binding| binding.role == "roles/customer"));
    assert_eq!(shop.database.count("SELECT count(*) FROM service_accounts").await, 0);
}

#[tokio::test]
async fn support_signs_customers_out_and_no_administrator() {
    let shop = Shop::new().await;
    let support = shop.colleague("sue@example.org", "support").await;
    let ada = shop.customer("ada@example.org").await;
    let all = async |name: &str| {
        let request = pb::RevokeAllSessionsRequest { parent: name.into(), keep_current: false };
        shop.auth.sessions().revoke_all_sessions(support.asks(request)).await
    };
    let one = format!("{}/sessions/{}", shop.admin.name, sid(&shop.admin.tokens.access_token));
    assert_eq!(refusal(all(&shop.admin.name).await), DENIED);
    let refused = shop.auth.revoke_session(&support.tokens.access_token, &one).await;
    assert_eq!(reason(refused), ErrorReason::PermissionMissing);
    shop.auth.refresh(&shop.admin.tokens.refresh_token).await.unwrap();
    assert_eq!(all(&ada.name).await.unwrap().into_inner().revoked_count, 1);
}

#[tokio::test]
async fn what_one_changes_of_oneself_waits_for_no_change_of_others() {
    let shop = Shop::new().await;
    let ada = shop.customer("ada@example.org").await;
    let mut held = shop.database.pool().await.begin().await.unwrap();
    sqlx::query("SELECT id FROM setup WHERE id = 1 FOR UPDATE").execute(&mut *held).await.unwrap();
    let user = pb::User { name: ada.name.clone(), display_name: "Countess".into(), ..Default::default() };
    let renamed = rename(&shop, &ada, user, None).await.unwrap().into_inner();
    assert_eq!(renamed.display_name, "Countess");
    held.rollback().await.unwrap();
}
