//! The metrics of the running test, as Prometheus would read them.

use std::sync::Once;
use std::time::Duration;

use opentelemetry_sdk::Resource;
use tokio::time::{Instant, sleep};

/// How long a test waits for a number: workers measure every few seconds, and machines that run tests are busy.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Installs the meter provider of the process, once. What was measured before is lost for good, so a test's world begins with it.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // The provider is global from here on; dropping this handle does not end it.
        drop(kontor_runtime::metrics::start(Resource::builder_empty().build(), None).expect("no other provider"));
    });
}

/// The sum of all series of this name that have these labels: `value("kontor_outbox_pending", &[("kontor_service", "order")])`.
/// Histograms have series that end in `_count` and `_sum`. 0 if there is none.
pub fn value(name: &str, labels: &[(&str, &str)]) -> f64 {
    let labels: Vec<_> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
    let text = kontor_runtime::metrics::render();
    let series = text.lines().filter_map(|line| line.rsplit_once(' '));
    let of_name = series.filter(|(series, _)| {
        series.split('{').next() == Some(name) && labels.iter().all(|label| series.contains(label))
    });
    of_name.map(|(_, value)| value.parse::<f64>().expect("a number")).sum()
}

/// Waits until the sum is right. Tests of one process run side by side and count together, so a sum may be more than the test's own.
pub async fn value_becomes(name: &str, labels: &[(&str, &str)], is_right: impl Fn(f64) -> bool) {
    let began = Instant::now();
    while !is_right(value(name, labels)) {
        let text = kontor_runtime::metrics::render();
        assert!(began.elapsed() < WAIT_MAX, "{name} {labels:?} is {}:\n{text}", value(name, labels));
        sleep(Duration::from_millis(50)).await;
    }
}
