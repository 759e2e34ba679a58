//! CPU time and memory of the process, as Linux tells them.

use std::fs;
use std::time::Duration;

use opentelemetry::metrics::Meter;

/// The unit of times in `/proc`: Linux shows them in hundredths of a second, whatever clock the kernel has.
const TICK: Duration = Duration::from_millis(10);

/// Has them read whenever metrics are.
pub(super) fn observe(meter: &Meter) {
    meter
        .f64_observable_counter("process.cpu.time")
        .with_unit("s")
        .with_description("CPU time that the process has used, user and system.")
        .with_callback(|observer| {
            if let Some(time) = fs::read_to_string("/proc/self/stat").ok().and_then(|stat| cpu_time(&stat)) {
                observer.observe(time.as_secs_f64(), &[]);
            }
        })
        .build();
    meter
        .i64_observable_up_down_counter("process.memory.usage")
        .with_unit("By")
        .with_description("Physical memory that the process uses.")
        .with_callback(|observer| {
            if let Some(bytes) = fs::read_to_string("/proc/self/status").ok().and_then(|status| memory(&status)) {
                observer.observe(bytes, &[]);
            }
        })
        .build();
}

/// `utime` and `stime` of proc_pid_stat(5). The name of the program, in parentheses, may hold spaces.
fn cpu_time(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11).map(str::parse::<u32>);
    let (user, system) = (fields.next()?.ok()?, fields.next()?.ok()?);
    Some(TICK * user.saturating_add(system))
}

/// `VmRSS` of proc_pid_status(5), in bytes.
fn memory(status: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_tells_of_a_process_is_read() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 900 0 1 0 150 50 0 0 20 0 9 0 100 300 200";
        assert_eq!(cpu_time(stat), Some(Duration::from_secs(2)));
        assert_eq!(memory("Name:\tx\nVmRSS:\t    2048 kB\n"), Some(2 * 1024 * 1024));
        assert!(cpu_time(&fs::read_to_string("/proc/self/stat").unwrap()).is_some());
        assert!(memory(&fs::read_to_string("/proc/self/status").unwrap()).is_some_and(|bytes| bytes > 0));
    }
}
