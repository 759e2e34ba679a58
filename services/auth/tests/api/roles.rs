//! Roles and who has them: nobody gets, gives or takes more than they hold.

use futures_util::future::join;
use kontor_proto::kontor::auth::v1 as pb;
use kontor_runtime::fault::ErrorReason;
use kontor_types::ids::UserId;
use tonic::{Code, Response, Status};

use crate::operators::{ABSENT, DENIED, FORGED, IN_USE, INVALID, Person, Shop, claims, refusal, sid};
use crate::world::{PASSWORD, reason};

async fn update(
    shop: &Shop,
    by: &Person,
    id: &str,
    permissions: &[&str],
    paths: &[&str],
) -> Result<Response<pb::Role>, Status> {
    let permissions = permissions.iter().map(ToString::to_string).collect();
    let role = pb::Role { name: format!("roles/{id}"), permissions, ..Default::default() };
    let mut request = pb::UpdateRoleRequest { role: Some(role), ..Default::default() };
    request.update_mask.get_or_insert_default().paths = paths.iter().map(ToString::to_string).collect();
    shop.access().update_role(by.asks(request)).await
}

async fn get(shop: &Shop, id: &str) -> Result<Response<pb::Role>, Status> {
    shop.access().get_role(shop.admin.asks(pb::GetRoleRequest { name: format!("roles/{id}") })).await
}

async fn remove(shop: &Shop, by: &Person, id: &str) -> Result<Response<pb::DeleteRoleResponse>, Status> {
    shop.access().delete_role(by.asks(pb::DeleteRoleRequest { name: format!("roles/{id}") })).await
}

#[tokio::test]
async fn nobody_grants_more_than_they_hold() {
    let shop = Shop::new().await;
    let granter = shop.with_permissions("granter", &["order.read", "role.grant", "role.read"]).await;
    let bob = shop.customer("bob@example.org").await;
    let before = (shop.user(&granter.name).await, shop.user(&bob.name).await);
    for role in ["administrator", "support", "fulfilment"] {
        for member in [&granter.name, &bob.name] {
            assert_eq!(refusal(shop.bind(&granter, role, member).await), DENIED, "{role}");
        }
    }
    assert_eq!((shop.user(&granter.name).await, shop.user(&bob.name).await), before);

    // What they hold, they may give.
    let binding = shop.bind(&granter, "granter", &bob.name).await.unwrap().into_inner();
    assert_eq!(shop.bind(&granter, "granter", &bob.name).await.unwrap().into_inner(), binding);
    assert_eq!(shop.user(&bob.name).await.roles, ["customer", "granter"]);
    let events = shop.events(&binding.name).await;
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].action.as_str(), &events[0].actor), ("role_binding.created", &granter.name));
    assert_eq!((&events[0].details["role"], &events[0].details["member"]), (&"roles/granter".into(), &bob.name));
}

#[tokio::test]
async fn nobody_takes_away_what_they_do_not_hold() {
    let shop = Shop::new().await;
    let granter = shop.with_permissions("granter", &["role.grant", "role.read"]).await;
    let sue = shop.colleague("sue@example.org", "support").await;
    let bob = shop.colleague("bob@example.org", "administrator").await;
    for person in [&sue, &bob, &shop.admin] {
        for binding in shop.bindings_of(&person.name).await.iter().filter(|binding| binding.role != "roles/customer") {
            assert_eq!(refusal(shop.unbind(&granter, &binding.name).await), DENIED);
        }
    }
    assert_eq!(shop.user(&sue.name).await.roles, ["customer", "support"]);
    shop.auth.refresh(&bob.tokens.refresh_token).await.unwrap();
}

#[tokio::test]
async fn nobody_puts_more_into_a_role_than_they_hold() {
    let shop = Shop::new().await;
    let editor = shop.with_permissions("editor", &["order.read", "role.edit", "role.read"]).await;
    assert_eq!(refusal(shop.make_role(&editor, "mine", &["order.read", "order.refund"]).await), DENIED);
    assert_eq!(refusal(get(&shop, "mine").await), ABSENT);

    let before = get(&shop, "editor").await.unwrap().into_inner();
    let more = ["order.read", "role.edit", "role.grant", "role.read"];
    assert_eq!(refusal(update(&shop, &editor, "editor", &more, &["permissions"]).await), DENIED);
    assert_eq!(get(&shop, "editor").await.unwrap().into_inner(), before);

    // Nor do they weaken or delete a role of others who hold more.
    shop.make_role(&shop.admin, "boss", &["order.refund", "user.suspend"]).await.unwrap();
    let before = get(&shop, "boss").await.unwrap().into_inner();
    assert_eq!(refusal(update(&shop, &editor, "boss", &[], &["permissions"]).await), DENIED);
    assert_eq!(refusal(remove(&shop, &editor, "boss").await), DENIED);
    assert_eq!(get(&shop, "boss").await.unwrap().into_inner(), before);
    assert_eq!(shop.deeds("roles/boss").await, ["role.created"]);

    let mine = shop.make_role(&editor, "mine", &["order.read", "order.read"]).await.unwrap().into_inner();
    assert_eq!(mine.permissions, ["order.read"]);
}

#[tokio::test]
async fn a_permission_that_no_method_asks_for_is_named_by_its_place() {
    let shop = Shop::new().await;
    for unknown in ["internal", "order.*", "", "order.read order.refund", "Order.read", "zebra.ride"] {
        let refused = shop.make_role(&shop.admin, "mine", &["order.read", "order.refund", unknown]).await.unwrap_err();
        assert!(refused.message().starts_with("role.permissions[2]: "), "{}", refused.message());
        assert_eq!(refusal::<()>(Err(refused)), INVALID);
    }
    assert_eq!(refusal(get(&shop, "mine").await), ABSENT);
    shop.make_role(&shop.admin, "mine", &["order.read"]).await.unwrap();
    let again = shop.make_role(&shop.admin, "mine", &["order.refund"]).await;
    assert_eq!(refusal(again), (Code::AlreadyExists, ErrorReason::ResourceExists));
    for path in ["name", "built_in", "members", "create_time"] {
        let refused = update(&shop, &shop.admin, "mine", &[], &["permissions", path]).await;
        assert_eq!(refusal(refused), INVALID, "{path}");
    }
    assert_eq!(get(&shop, "mine").await.unwrap().into_inner().permissions, ["order.read"]);
}

#[tokio::test]
async fn roles_that_came_with_kontor_and_roles_in_use_stay() {
    let shop = Shop::new().await;
    let before = get(&shop, "support").await.unwrap().into_inner();
    assert!(before.built_in && before.create_time.is_none());
    assert_eq!(refusal(update(&shop, &shop.admin, "support", &[], &["permissions"]).await), IN_USE);
    assert_eq!(refusal(remove(&shop, &shop.admin, "support").await), IN_USE);
    let made = shop.make_role(&shop.admin, "support", &[]).await;
    assert_eq!(refusal(made), (Code::AlreadyExists, ErrorReason::ResourceExists));
    assert_eq!(get(&shop, "support").await.unwrap().into_inner(), before);

    let ada = shop.with_permissions("packer", &["order.read"]).await;
    assert_eq!(refusal(remove(&shop, &shop.admin, "packer").await), IN_USE);
    let binding = shop.bindings_of(&ada.name).await.into_iter().find(|b| b.role == "roles/packer").unwrap();
    shop.unbind(&shop.admin, &binding.name).await.unwrap();
    assert_eq!(refusal(shop.unbind(&shop.admin, &binding.name).await), ABSENT);
    remove(&shop, &shop.admin, "packer").await.unwrap();
    assert_eq!(refusal(remove(&shop, &shop.admin, "packer").await), ABSENT);
    assert_eq!(shop.deeds("roles/packer").await, ["role.deleted", "role.created"]);
    assert_eq!(shop.deeds(&binding.name).await, ["role_binding.deleted", "role_binding.created"]);
}

#[tokio::test]
async fn who_loses_a_permission_is_signed_out_and_who_gains_one_is_not() {
    let shop = Shop::new().await;
    let ada = shop.with_permissions("packer", &["order.read", "order.watch"]).await;
    let scope = |token: &str| claims(token)["scope"].as_str().unwrap().to_owned();
    assert_eq!(scope(&ada.tokens.access_token), "order.read order.watch");

    let more = ["order.read", "order.refund", "order.watch"];
    update(&shop, &shop.admin, "packer", &more, &["permissions"]).await.unwrap();
    let tokens = shop.auth.refresh(&ada.tokens.refresh_token).await.unwrap();
    assert_eq!(scope(&tokens.access_token), "order.read order.refund order.watch");
    assert!(!shop.is_revoked(&sid(&tokens.access_token)).await);

    update(&shop, &shop.admin, "packer", &["order.read"], &["permissions"]).await.unwrap();
    assert!(shop.is_revoked(&sid(&tokens.access_token)).await);
    assert_eq!(reason(shop.auth.refresh(&tokens.refresh_token).await), ErrorReason::RefreshTokenInvalid);

    let tokens = shop.auth.sign_in(&ada.email, PASSWORD).await.unwrap();
    assert_eq!(scope(&tokens.access_token), "order.read");
    let bindings = shop.bindings_of(&ada.name).await;
    let of = |role: &str| bindings.iter().find(|binding| binding.role == role).unwrap().name.clone();
    // A role that permits nothing is taken away without a word to anybody.
    shop.unbind(&shop.admin, &of("roles/customer")).await.unwrap();
    assert!(!shop.is_revoked(&sid(&tokens.access_token)).await);
    shop.unbind(&shop.admin, &of("roles/packer")).await.unwrap();
    assert!(shop.is_revoked(&sid(&tokens.access_token)).await);
    assert_eq!(reason(shop.auth.refresh(&tokens.refresh_token).await), ErrorReason::RefreshTokenInvalid);
    assert!(!shop.is_revoked(&sid(&shop.admin.tokens.access_token)).await);
}

#[tokio::test]
async fn a_role_is_never_both_deleted_and_somebodys() {
    let shop = Shop::new().await;
    let ada = shop.customer("ada@example.org").await;
    for n in 0..10 {
        let id = format!("role{n}");
        shop.make_role(&shop.admin, &id, &["order.read"]).await.unwrap();
        let (bound, removed) = join(shop.bind(&shop.admin, &id, &ada.name), remove(&shop, &shop.admin, &id)).await;
        assert!(bound.is_ok() != removed.is_ok(), "{bound:?} {removed:?}");
    }
    let sql =
        "SELECT count(*) FROM bindings b LEFT JOIN roles r ON r.id = b.role WHERE b.role LIKE 'role%' AND r.id IS NULL";
    assert_eq!(sqlx::query_scalar::<_, i64>(sql).fetch_one(&shop.database.pool().await).await.unwrap(), 0);
}

#[tokio::test]
async fn only_who_exists_gets_a_role_that_exists() {
    let shop = Shop::new().await;
    let nobody = UserId::generate().to_string();
    assert_eq!(refusal(shop.bind(&shop.admin, "support", &nobody).await), ABSENT);
    assert_eq!(
        refusal(shop.bind(&shop.admin, "support", &nobody.to_uppercase().replace("USERS", "users")).await),
        INVALID
    );
    assert_eq!(refusal(shop.bind(&shop.admin, "support", "serviceAccounts/nobody").await), ABSENT);
    assert_eq!(refusal(shop.bind(&shop.admin, "owner", &shop.admin.name).await), ABSENT);
    assert_eq!(shop.user(&shop.admin.name).await.roles, ["administrator"]);
}

#[tokio::test]
async fn a_caller_learns_which_permissions_they_hold() {
    let shop = Shop::new().await;
    let sue = shop.colleague("sue@example.org", "support").await;
    let asked = ["user.suspend", "user.delete", "zebra.ride", "order.read"].map(str::to_owned).to_vec();
    let request = pb::TestPermissionsRequest { permissions: asked };
    let held = shop.access().test_permissions(sue.asks(request.clone())).await.unwrap().into_inner().permissions;
    assert_eq!(held, ["user.suspend", "order.read"]);
    let anonymous = shop.access().test_permissions(request).await;
    assert_eq!(refusal(anonymous), (Code::Unauthenticated, ErrorReason::TokenMissing));
}

#[tokio::test]
async fn roles_come_in_pages_by_name_and_bindings_oldest_first() {
    let shop = Shop::new().await;
    for id in ["zoo", "a", "catalog-editor2", "catalog"] {
        shop.make_role(&shop.admin, id, &["order.read"]).await.unwrap();
        shop.bind(&shop.admin, id, &shop.admin.name).await.unwrap();
    }
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = shop.admin.asks(pb::ListRolesRequest { page_size: 2, page_token });
        let page = shop.access().list_roles(request).await.unwrap().into_inner();
        found.extend(page.roles.into_iter().map(|role| role.name["roles/".len()..].to_owned()));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let expected = ["a", "administrator", "catalog", "catalog-editor", "catalog-editor2", "customer", "fulfilment"];
    assert_eq!(found, [expected.as_slice(), &["support", "zoo"]].concat());

    let request = pb::ListRoleBindingsRequest { page_size: 3, ..Default::default() };
    let first = shop.access().list_role_bindings(shop.admin.asks(request.clone())).await.unwrap().into_inner();
    let request = pb::ListRoleBindingsRequest { page_token: first.next_page_token, ..request };
    let second = shop.access().list_role_bindings(shop.admin.asks(request)).await.unwrap().into_inner();
    let roles: Vec<_> = first.role_bindings.iter().chain(&second.role_bindings).map(|b| b.role.as_str()).collect();
    assert_eq!(roles, ["roles/administrator", "roles/zoo", "roles/a", "roles/catalog-editor2", "roles/catalog"]);
    assert_eq!(second.next_page_token, "");

    for forged in FORGED {
        let page_token = forged.to_owned();
        let answer = shop.access().list_roles(shop.admin.asks(pb::ListRolesRequest { page_token, page_size: 0 })).await;
        assert_eq!(refusal(answer), INVALID, "{forged}");
        let request = pb::ListRoleBindingsRequest { page_token: forged.into(), ..Default::default() };
        assert_eq!(refusal(shop.access().list_role_bindings(shop.admin.asks(request)).await), INVALID, "{forged}");
    }
}
