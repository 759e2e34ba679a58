//! What the log tells of calls that came again, by which the fault test knows that they did.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use kontor_proto::kontor::catalog::v1 as pb;
use kontor_types::ids::{OrderId, new_uuid};

use crate::shop::Shop;

/// The log of all shops: there is one subscriber for the process.
pub static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).init();
    log
});

#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How many lines hold this message with this field.
fn lines(message: &str, field: &str) -> usize {
    let log = LOG.0.lock().unwrap();
    let is_one = |line: &&str| line.contains(message) && line.contains(field);
    String::from_utf8_lossy(&log).lines().filter(is_one).count()
}

#[tokio::test]
async fn reserves_that_come_again_or_too_late_are_told_apart() {
    let shop = Shop::open().await;
    let cup = shop.stocked("cup", &[("CUP", 5)]).await.remove(0);
    let (order, late) = (OrderId::generate(), OrderId::generate());
    let told = |message, order: OrderId| lines(message, &format!("order={order}"));
    shop.reserve(order, &[(&cup, 1)]).await.unwrap();
    assert_eq!(told("a reserve was repeated", order), 0);
    shop.reserve(order, &[(&cup, 1)]).await.unwrap();
    shop.confirm(order).await.unwrap();
    shop.reserve(order, &[(&cup, 1)]).await.unwrap();
    assert_eq!(told("a reserve was repeated", order), 2);

    shop.release(late).await.unwrap();
    shop.reserve(late, &[(&cup, 1)]).await.unwrap();
    assert_eq!((told("a late reserve was refused", late), told("a reserve was repeated", late)), (1, 0));
}

#[tokio::test]
async fn a_hold_that_expires_is_told_once() {
    let shop = Shop::open().await;
    let cup = shop.stocked("cup", &[("CUP", 5)]).await.remove(0);
    let order = OrderId::generate();
    shop.reserve(order, &[(&cup, 1)]).await.unwrap();
    assert_eq!(lines("a hold has expired", &format!("order={order}")), 0);
    shop.age(order, 0).await;
    // The state can be seen a moment before the log tells of it.
    for _ in 0..200 {
        if lines("a hold has expired", &format!("order={order}")) == 1 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("the log does not tell of it once");
}

#[tokio::test]
async fn other_calls_that_come_again_are_told() {
    let shop = Shop::open().await;
    let cup = shop.stocked("cup", &[("CUP", 5)]).await.remove(0);
    let order = OrderId::generate();
    shop.reserve(order, &[(&cup, 1)]).await.unwrap();
    shop.confirm(order).await.unwrap();
    let [refunds, adjusts, imports] = [new_uuid(), new_uuid(), new_uuid()].map(|id| id.to_string());
    let refund = format!("{order}/refunds/{refunds}");
    for times in 0..3 {
        let change = pb::AdjustStockRequest { variant: cup.clone(), delta: 1, reason: 1, request_id: adjusts.clone() };
        shop.adjust(change).await.unwrap();
        let first = pb::ImportProductsRequest { request_id: imports.clone(), ..Default::default() };
        shop.try_import(b"Handle,Title,Variant Price\na,A,1\n", &shop.editor, first).await.unwrap();
        shop.send_back(&refund, &[(&cup, 1)]).await.unwrap();
        for field in [&adjusts, &imports, &refunds] {
            assert_eq!(lines("a call was repeated", field), times, "{field}");
        }
    }
}
