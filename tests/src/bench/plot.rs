//! The run as a picture: records a second, latencies, memory and file handles, one under the other.

use super::{keeper::Sample, result::Measured, timeline::Point};
use crate::trouble::Trouble;
use plotters::{
    chart::ChartBuilder,
    coord::Shift,
    drawing::{DrawingArea, IntoDrawingArea as _},
    prelude::{
        BLUE, Color as _, DrawingBackend, IntoFont as _, LineSeries, PathElement, RED, RGBColor,
        SVGBackend, WHITE,
    },
};
use std::path::Path;

const WIDTH: u32 = 960;
/// Of each of the charts.
const HEIGHT: u32 = 300;

/// A line: what it is called, its colour, and its value at each second.
type Line<'a> = (&'a str, RGBColor, Vec<(u64, f64)>);

/// A chart: what it says, and its lines.
type Chart<'a> = (String, Vec<Line<'a>>);

/// Draws a run into a file.
///
/// # Errors
/// [`Trouble`] if it cannot be written.
pub(super) fn draw(measured: &Measured, path: &Path) -> Result<(), Trouble> {
    let failed =
        |error: &dyn std::fmt::Display| Trouble::new(format!("{}: {error}", path.display()));
    let charts = charts(measured);
    let count = u32::try_from(charts.len())?;
    let area = SVGBackend::new(path, (WIDTH, HEIGHT * count)).into_drawing_area();
    area.fill(&WHITE).map_err(|error| failed(&error))?;
    for (part, chart) in area.split_evenly((charts.len(), 1)).iter().zip(&charts) {
        draw_one(part, chart).map_err(|error| failed(&error))?;
    }
    area.present().map_err(|error| failed(&error))
}

fn charts(measured: &Measured) -> Vec<Chart<'static>> {
    let second = |of: fn(&Point) -> f64| {
        measured.points.iter().map(|it| (it.second as u64, of(it))).collect()
    };
    let sample =
        |of: fn(&Sample) -> f64| measured.samples.iter().map(|it| (it.second, of(it))).collect();
    #[expect(clippy::cast_precision_loss, reason = "a line of a picture")]
    let records: fn(&Point) -> f64 = |point| point.records as f64;
    #[expect(clippy::cast_precision_loss, reason = "a line of a picture")]
    let pending: fn(&Sample) -> f64 = |sample| sample.pending as f64;
    let title = format!("{}: records a second", measured.profile);
    vec![
        (title, vec![("records", BLUE, second(records))]),
        (
            "milliseconds from due to verified".to_owned(),
            vec![("p50", BLUE, second(|it| it.p50_ms)), ("p99", RED, second(|it| it.p99_ms))],
        ),
        (
            "megabytes resident of a node".to_owned(),
            vec![
                ("mean", BLUE, sample(Sample::mean_rss_mb)),
                ("largest", RED, sample(Sample::most_rss_mb)),
            ],
        ),
        (
            "file handles of a node; submissions that wait at one".to_owned(),
            vec![
                ("handles", BLUE, sample(Sample::mean_handles)),
                ("waiting", RED, sample(pending)),
            ],
        ),
    ]
}

fn draw_one<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    (title, lines): &Chart<'_>,
) -> Result<(), Box<dyn std::error::Error>>
where
    B::ErrorType: 'static,
{
    let points = || lines.iter().flat_map(|(_, _, points)| points);
    let highest = points().map(|(_, value)| *value).fold(1.0, f64::max);
    let last = points().map(|(second, _)| *second).max().unwrap_or_default();
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 16).into_font())
        .margin(12)
        .x_label_area_size(28)
        .y_label_area_size(64)
        .build_cartesian_2d(0..last.max(1), 0.0..highest)?;
    chart.configure_mesh().x_desc("seconds").draw()?;
    for (name, color, points) in lines {
        chart
            .draw_series(LineSeries::new(points.iter().copied(), color))?
            .label(*name)
            .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], color.filled()));
    }
    chart.configure_series_labels().draw()?;
    Ok(())
}
