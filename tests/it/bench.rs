//! `probata-bench`: that its load is sealed, and what it says.

use probata_tests::{Trouble, ensure, network};
use serde_json::Value;
use std::process::Stdio;
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn every_record_of_the_load_is_accepted_and_the_result_is_one_object() -> Result<(), Trouble>
{
    let _turn = network::turn().await;
    for (profile, rate) in [("single", "60"), ("hundred", "4")] {
        let mut bench = Command::new(env!("CARGO_BIN_EXE_probata-bench"));
        bench.args(["--profile", profile, "--rate", rate, "--seconds", "4", "--json"]);
        let output = bench.stdin(Stdio::null()).kill_on_drop(true).output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure(output.status.success(), || format!("{profile}: {}\n{said}", output.status))?;
        let result: Value = serde_json::from_slice(&output.stdout)?;
        let number = |field: &str| result[field].as_u64().unwrap_or_default();
        // On a busy machine the answers may come after the seconds that are counted.
        for field in ["submissions_per_second", "records_per_second"] {
            assert!(result[field].is_u64(), "{profile}: {field} in {result}");
        }
        for field in ["acknowledged", "rss_mb_max"] {
            assert!(number(field) > 0, "{profile}: {field} in {result}");
        }
        for field in ["p50_ms", "p99_ms", "cpu_seconds"] {
            assert!(result[field].as_f64() > Some(0.0), "{profile}: {field} in {result}");
        }
        assert_eq!((number("rejected"), number("failed"), number("lost")), (0, 0, 0), "{result}");
        assert_eq!(number("sent"), number("acknowledged"), "{result}");
    }
    Ok(())
}
