//! How the edge stops.

use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use kontor_edge::serve;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

#[tokio::test]
async fn an_open_request_is_answered_and_silent_connections_do_not_hold_the_end() {
    let slow = Router::new().route(
        "/",
        get(async || {
            sleep(Duration::from_millis(600)).await;
            "done"
        }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, slow, async move { drop(stopped.await) }));
    let _silent = TcpStream::connect(address).await.unwrap();
    let request = tokio::spawn(reqwest::get(format!("http://{address}/")));
    sleep(Duration::from_millis(200)).await;

    let begun = Instant::now();
    stop.send(()).unwrap();
    timeout(Duration::from_secs(5), server).await.unwrap().unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(300), "it did not wait for the open request");
    assert_eq!(request.await.unwrap().unwrap().text().await.unwrap(), "done");
    assert!(TcpStream::connect(address).await.is_err(), "it takes connections still");
}
