//! What tools ask any gRPC service: its health, and its contract.

use kontor_runtime::peer::channel;
use prost::Message;
use prost_types::FileDescriptorProto;
use tokio_stream::once;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::{v1, v1alpha};

use crate::apart::{Apart, GRPC};

const HEALTH: &str = "grpc.health.v1.Health";

fn services_of(name: &str) -> &'static [&'static str] {
    match name {
        "auth" => &[
            "kontor.auth.v1.AccessService",
            "kontor.auth.v1.AuditService",
            "kontor.auth.v1.AuthenticationService",
            "kontor.auth.v1.SecondFactorService",
            "kontor.auth.v1.ServiceAccountService",
            "kontor.auth.v1.SessionService",
            "kontor.auth.v1.TokenService",
            "kontor.auth.v1.UserService",
        ],
        "catalog" => &[
            "kontor.catalog.v1.CatalogEventService",
            "kontor.catalog.v1.InventoryService",
            "kontor.catalog.v1.ProductService",
            "kontor.catalog.v1.VariantService",
        ],
        "order" => {
            &["kontor.order.v1.CartService", "kontor.order.v1.OrderEventService", "kontor.order.v1.OrderService"]
        }
        "sandbox-psp" => &["kontor.payment.v1.PaymentProviderService"],
        other => panic!("{other}?"),
    }
}

#[tokio::test]
async fn every_process_tells_its_health_and_its_whole_contract() {
    let apart = Apart::start(Vec::new()).await;
    for name in GRPC {
        let services = services_of(name);
        let addr = apart.addr(name).to_string();
        for service in services.iter().chain(&[""]) {
            assert_eq!(health(&addr, service).await, "SERVING", "{name}: {service:?}");
        }
        let all: Vec<_> = [HEALTH].into_iter().chain(services.iter().copied()).collect();
        assert_eq!(listed_v1(&addr).await, all, "{name}");
        assert_eq!(listed_v1alpha(&addr).await, all, "{name}");
        for service in all {
            assert!(declares(&file_v1(&addr, service).await, service), "{name}: {service}");
            assert!(declares(&file_v1alpha(&addr, service).await, service), "{name}: {service}");
        }
    }
    let mut health = HealthClient::new(channel(&apart.addr("order").to_string()).unwrap());
    let unknown = health.check(HealthCheckRequest { service: "kontor.order.v1.Nothing".into() }).await;
    assert_eq!(unknown.unwrap_err().code(), tonic::Code::NotFound);
}

async fn health(addr: &str, service: &str) -> &'static str {
    let mut client = HealthClient::new(channel(addr).unwrap());
    let answer = client.check(HealthCheckRequest { service: service.into() }).await.unwrap();
    answer.get_ref().status().as_str_name()
}

/// Whether one of the files is the one that the service stands in.
fn declares(files: &[Vec<u8>], service: &str) -> bool {
    let mut files = files.iter().map(|bytes| FileDescriptorProto::decode(bytes.as_slice()).unwrap());
    files.any(|file| file.service.iter().any(|found| format!("{}.{}", file.package(), found.name()) == service))
}

/// The two versions of reflection are the same but for their packages.
macro_rules! reflection {
    ($version:ident, $listed:ident, $file:ident) => {
        async fn $listed(addr: &str) -> Vec<String> {
            use $version::server_reflection_request::MessageRequest::ListServices;
            use $version::server_reflection_response::MessageResponse::ListServicesResponse;
            let mut client = $version::server_reflection_client::ServerReflectionClient::new(channel(addr).unwrap());
            let message_request = Some(ListServices(String::new()));
            let request = $version::ServerReflectionRequest { host: String::new(), message_request };
            let mut answers = client.server_reflection_info(once(request)).await.unwrap().into_inner();
            let answer = answers.message().await.unwrap().unwrap().message_response;
            let Some(ListServicesResponse(list)) = answer else { panic!("{answer:?}") };
            let mut names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
            names.sort();
            names
        }

        async fn $file(addr: &str, symbol: &str) -> Vec<Vec<u8>> {
            use $version::server_reflection_request::MessageRequest::FileContainingSymbol;
            use $version::server_reflection_response::MessageResponse::FileDescriptorResponse;
            let mut client = $version::server_reflection_client::ServerReflectionClient::new(channel(addr).unwrap());
            let message_request = Some(FileContainingSymbol(symbol.into()));
            let request = $version::ServerReflectionRequest { host: String::new(), message_request };
            let mut answers = client.server_reflection_info(once(request)).await.unwrap().into_inner();
            let answer = answers.message().await.unwrap().unwrap().message_response;
            let Some(FileDescriptorResponse(files)) = answer else { panic!("{answer:?}") };
            files.file_descriptor_proto
        }
    };
}

reflection!(v1, listed_v1, file_v1);
reflection!(v1alpha, listed_v1alpha, file_v1alpha);
