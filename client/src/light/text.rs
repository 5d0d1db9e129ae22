//! The report as text for people, Chinese and English side by side.

use super::{
    check::{Check, Status},
    fork::Fork,
    report::Report,
    summary::{Named, Summary},
};
use probata_types::Timestamp;
use std::fmt::{self, Write};

/// Minutes that the times shown are east of UTC: Chinese standard time.
const ZONE_MINUTES: i32 = 480;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = self.verdict;
        line(f, "结论 Verdict", &format!("{} {}", verdict.zh(), verdict.en()))?;
        line(f, "", &self.conclusion.zh)?;
        line(f, "", &self.conclusion.en)?;
        match self.level {
            Some(level) => {
                line(f, "级别 Level", &format!("{level} {}", level.zh()))?;
                line(f, "", &format!("{level} {}", level.en()))?;
            }
            None => line(f, "级别 Level", "未达任何级别 none reached")?,
        }
        if !self.why_not_next.is_empty() {
            line(f, "下一级 Next", &self.why_not_next)?;
        }
        if let Some(summary) = &self.summary {
            summary.write(f)?;
        }
        if let Some(fork) = &self.fork {
            write_fork(f, fork)?;
        }
        heading(f, "提示 Findings")?;
        if self.findings.is_empty() {
            writeln!(f, "  无 none")?;
        }
        for finding in &self.findings {
            writeln!(f, "  {} {}: {} {}", finding.code, finding.name, finding.zh, finding.en)?;
            if !finding.article.is_empty() {
                writeln!(f, "      {}", finding.article)?;
            }
        }
        self.write_documents(f)?;
        heading(f, "核验项 Checks")?;
        for check in &self.checks {
            check.write(f)?;
        }
        heading(f, "局限 Limits")?;
        writeln!(f, "  {}", self.limits.zh)?;
        writeln!(f, "  {}", self.limits.en)
    }
}

impl Report {
    /// Every digest on the way, one a line, to be redone by hand.
    pub fn explain_text(&self) -> String {
        let mut text = String::new();
        for one in &self.explain {
            writeln!(text, "{} = {}", one.name, one.value).expect("a string takes every line");
        }
        text
    }

    fn write_documents(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.documents.is_empty() {
            return Ok(());
        }
        heading(f, "文件 Documents")?;
        for document in &self.documents {
            let name = document.name.as_deref().unwrap_or("(未披露名称 name not disclosed)");
            let (zh, en) = match document.status {
                Status::Passed => ("一致", "matches"),
                Status::Failed => ("与存证摘要不一致", "does not match the digests recorded"),
                Status::NotPresent | Status::NotRun => ("未提供", "not given"),
            };
            writeln!(f, "  {name}: {zh} {en} ({} bytes)", document.length)?;
            writeln!(f, "      SHA-256 {}", document.sha256)?;
            writeln!(f, "      SM3     {}", document.sm3)?;
        }
        Ok(())
    }
}

impl Summary {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "存证编号 Record", &self.record.to_string())?;
        let kind = &self.record_type;
        line(f, "类型 Type", &format!("{} {} {:?}", kind.zh, kind.en, self.phase))?;
        line(f, "流程 Flow", &format!("{} 第 no. {}", self.flow, self.seq))?;
        let name = self.submitter.name.as_ref().map_or(String::new(), |name| both(name) + " ");
        line(f, "提交方 Submitter", &format!("{name}{}", self.submitter.institution))?;
        let times = &self.times;
        line(f, "发生 Occurred", &format!("{} (提交方声明 claimed)", moment(times.occurred_at)))?;
        line(f, "提交 Submitted", &format!("{} (提交方声明 claimed)", moment(times.submitted_at)))?;
        line(f, "上链 Block time", &moment(times.block_time))?;
        line(f, "时差 Lag", &lag(times.lag_ms))?;
        line(f, "区块 Block", &format!("高度 height {} {}", self.height, self.block))?;
        line(f, "决定 Outcome", &self.decision())?;
        let anchor = &self.anchor;
        let when = moment(anchor.time);
        line(f, "锚定 Anchor", &format!("高度 height {} {} {when}", anchor.height, anchor.block))?;
        let status = self.status.as_ref().map_or_else(|| "未附 not shown".to_owned(), both);
        line(f, "锚定时状态 Status", &status)
    }

    fn decision(&self) -> String {
        match &self.outcome.rejection {
            None => "已接受 accepted".to_owned(),
            Some(why) => {
                format!("已拒绝 REJECTED {} {}: {} {}", why.code, why.name, why.zh, why.en)
            }
        }
    }
}

impl Check {
    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = self.level.map_or_else(|| "--".to_owned(), |level| level.to_string());
        let (zh, en) = (self.status.zh(), self.status.en());
        writeln!(f, "  {level} {} {} [{zh} {en}]", self.rule, self.predicate)?;
        writeln!(f, "      {}", self.compared)
    }
}

fn write_fork(f: &mut fmt::Formatter<'_>, fork: &Fork) -> fmt::Result {
    heading(f, "分叉 Fork")?;
    for sealed in [&fork.first, &fork.second] {
        let header = &sealed.header;
        let (hash, view) = (header.hash(), sealed.seal.view);
        writeln!(f, "  高度 height {} {hash} 视图 view {view}", header.height)?;
    }
    Ok(())
}

fn heading(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    writeln!(f, "\n{text}")
}

/// A label, padded to the width that it takes on a terminal, and its value.
fn line(f: &mut fmt::Formatter<'_>, label: &str, value: &str) -> fmt::Result {
    let width: usize = label.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    let padding = 20usize.saturating_sub(width);
    writeln!(f, "{label}{:padding$}{value}", "")
}

fn both(name: &Named) -> String {
    format!("{} {}", name.zh, name.en)
}

/// A time in Chinese standard time.
fn moment(time: Timestamp) -> String {
    let local = time.get() + u64::from(ZONE_MINUTES.unsigned_abs()) * 60_000;
    let of_day = local % 86_400_000;
    let (seconds, millis) = (of_day / 1_000, of_day % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let day = time.date(ZONE_MINUTES);
    format!("{day} {hour:02}:{minute:02}:{second:02}.{millis:03} (UTC+08:00)")
}

/// A length of time as days and a clock.
fn lag(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let all = millis.unsigned_abs();
    let seconds = all / 1_000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let days = if days == 0 { String::new() } else { format!("{days} 天 d ") };
    format!("{sign}{days}{hours:02}:{minutes:02}:{:02}.{:03}", seconds % 60, all % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_chinese_time() {
        // 2026-05-01T02:22:31.114Z.
        let time = Timestamp::new(1_777_602_151_114);
        assert_eq!(moment(time), "2026-05-01 10:22:31.114 (UTC+08:00)");
        assert_eq!(moment(Timestamp::ZERO), "1970-01-01 08:00:00.000 (UTC+08:00)");
        assert!(!moment(Timestamp::MAX).is_empty());
    }

    #[test]
    fn lags_read_as_clocks() {
        assert_eq!(lag(3_000), "00:00:03.000");
        assert_eq!(lag(-1), "-00:00:00.001");
        assert_eq!(lag(90_061_001), "1 天 d 01:01:01.001");
    }
}
