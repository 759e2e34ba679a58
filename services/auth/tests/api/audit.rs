//! What was done is written down, and stays.

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::audit_service_client::AuditServiceClient;
use sqlx::error::DatabaseError;
use tonic::{Response, Status};

use crate::operators::{DENIED, FORGED, INVALID, Person, Shop, refusal};

async fn list(
    shop: &Shop,
    by: &Person,
    request: pb::ListAuditEventsRequest,
) -> Result<Response<pb::ListAuditEventsResponse>, Status> {
    AuditServiceClient::new(shop.auth.channel.clone()).list_audit_events(by.asks(request)).await
}

#[tokio::test]
async fn events_can_not_be_changed_with_the_services_own_rights() {
    let shop = Shop::new().await;
    shop.make_role(&shop.admin, "mine", &["order.read"]).await.unwrap();
    let before = shop.events("roles/mine").await;
    assert_eq!(before.len(), 1);
    let pool = shop.database.pool().await;
    let attempts = [
        "UPDATE audit_events SET actor = 'users/eve'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "INSERT INTO audit_events SELECT * FROM audit_events ON CONFLICT (id) DO UPDATE SET actor = 'users/eve'",
    ];
    for attempt in attempts {
        let refused = sqlx::query(attempt).execute(&pool).await.unwrap_err();
        let code = refused.as_database_error().and_then(DatabaseError::code);
        assert_eq!(code.as_deref(), Some("42501"), "{attempt}");
    }
    assert_eq!(shop.events("roles/mine").await, before);
}

#[tokio::test]
async fn events_come_newest_first_by_what_they_are_about_and_by_who_acted() {
    let shop = Shop::new().await;
    let bob = shop.colleague("bob@example.org", "administrator").await;
    for n in 0..3 {
        shop.make_role(&shop.admin, &format!("role{n}"), &["order.read"]).await.unwrap();
        shop.make_role(&bob, &format!("bobs{n}"), &["order.read"]).await.unwrap();
    }
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let request =
            pb::ListAuditEventsRequest { page_size: 2, page_token, actor: bob.name.clone(), ..Default::default() };
        let page = list(&shop, &shop.admin, request).await.unwrap().into_inner();
        assert!(page.audit_events.len() <= 2);
        found.extend(page.audit_events);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    found.retain(|event| event.action == "role.created");
    let about: Vec<_> = found.iter().map(|event| event.resource.as_str()).collect();
    assert_eq!(about, ["roles/bobs2", "roles/bobs1", "roles/bobs0"]);
    let event = &found[0];
    assert_eq!((&event.actor, event.details["permissions"].as_str()), (&bob.name, "order.read"));
    assert_eq!(event.address, "127.0.0.1");
    assert!(event.name.starts_with("auditEvents/") && !event.user_agent.is_empty() && event.create_time.is_some());

    let filter = |resource: &str, actor: &str| pb::ListAuditEventsRequest {
        resource: resource.into(),
        actor: actor.into(),
        ..Default::default()
    };
    let both = list(&shop, &shop.admin, filter("roles/bobs1", &bob.name)).await.unwrap().into_inner();
    assert_eq!(both.audit_events.len(), 1);
    let none = list(&shop, &shop.admin, filter("roles/bobs1", &shop.admin.name)).await.unwrap().into_inner();
    assert!(none.audit_events.is_empty());
    let all = list(&shop, &shop.admin, pb::ListAuditEventsRequest::default()).await.unwrap().into_inner();
    assert_eq!(all.audit_events[0], *event);
}

#[tokio::test]
async fn who_may_not_read_events_and_forged_tokens_get_none() {
    let shop = Shop::new().await;
    let sue = shop.colleague("sue@example.org", "support").await;
    assert_eq!(refusal(list(&shop, &sue, pb::ListAuditEventsRequest::default()).await), DENIED);
    for forged in FORGED {
        let request = pb::ListAuditEventsRequest { page_token: forged.into(), ..Default::default() };
        assert_eq!(refusal(list(&shop, &shop.admin, request).await), INVALID, "{forged}");
    }
}
