//! The run as a picture: records a second above, latencies below.

use super::{result::Measured, timeline::Point};
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

const SIZE: (u32, u32) = (960, 640);

/// Draws a run into a file.
///
/// # Errors
/// [`Trouble`] if it cannot be written.
pub(super) fn draw(measured: &Measured, path: &Path) -> Result<(), Trouble> {
    let failed =
        |error: &dyn std::fmt::Display| Trouble::new(format!("{}: {error}", path.display()));
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE).map_err(|error| failed(&error))?;
    let (above, below) = area.split_vertically(SIZE.1 / 2);
    let records = |point: &Point| point.records as f64;
    let title = format!("{}: records a second", measured.profile);
    lines(&above, &title, &measured.points, &[("records", BLUE, &records)])
        .map_err(|e| failed(&e))?;
    let (p50, p99) = (|point: &Point| point.p50_ms, |point: &Point| point.p99_ms);
    let latencies: [Line<'_>; 2] = [("p50", BLUE, &p50), ("p99", RED, &p99)];
    lines(&below, "milliseconds from due to verified", &measured.points, &latencies)
        .map_err(|e| failed(&e))?;
    area.present().map_err(|error| failed(&error))
}

/// What it is called, its colour, and its value in a second.
type Line<'a> = (&'a str, RGBColor, &'a dyn Fn(&Point) -> f64);

fn lines<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    title: &str,
    points: &[Point],
    all: &[Line<'_>],
) -> Result<(), Box<dyn std::error::Error>>
where
    B::ErrorType: 'static,
{
    let values = |of: &dyn Fn(&Point) -> f64| points.iter().map(of).fold(1.0, f64::max);
    let highest = all.iter().map(|(_, _, of)| values(*of)).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 16).into_font())
        .margin(12)
        .x_label_area_size(28)
        .y_label_area_size(64)
        .build_cartesian_2d(0..points.len().max(1), 0.0..highest)?;
    chart.configure_mesh().x_desc("seconds").draw()?;
    for (name, color, of) in all {
        let line = points.iter().map(|point| (point.second, of(point)));
        chart
            .draw_series(LineSeries::new(line, color))?
            .label(*name)
            .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], color.filled()));
    }
    chart.configure_series_labels().draw()?;
    Ok(())
}
