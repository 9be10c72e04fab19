//! Maps: areas in the colour of their class, or a tile for each.

use super::{
    canvas::{Align, Area, Canvas, Font, Point},
    classes::{Classes, Method},
    frame::{Frame, Style, Texts, Value, mark, marks},
    theme::readable_on,
};

/// A place on a map with its number.
#[derive(Debug, Clone)]
pub struct Place {
    pub label: String,
    pub value: Value,
}

/// Names on a map.
const NAME: Font = Font::plain(11.0);

/// Where places lie.
#[derive(Debug, Clone)]
pub enum Ground<'b> {
    /// Outlines in degrees of longitude and latitude, rings for each place.
    Outlines(Vec<&'b Vec<Vec<Point>>>),
    /// Column and row of a tile for each place, and a short name.
    Tiles(Vec<(usize, usize, String)>),
}

/// A map.
#[derive(Debug, Clone)]
pub struct Map<'b> {
    pub texts: Texts,
    pub places: Vec<Place>,
    pub ground: Ground<'b>,
    pub method: Method,
}

impl Map<'_> {
    /// Draws it; gives its size and its name.
    pub fn draw(&self, document: &mut String, style: &Style) -> Result<((f64, f64), String), String> {
        let numbers: Vec<f64> = self.places.iter().filter_map(|place| place.value.number()).collect();
        let classes = Classes::new(&self.method, &numbers);
        let mut legend = classes.entries(style);
        legend.extend(marks(self.places.iter().map(|place| place.value), style.tongue));
        let inner = style.width - 48.0;
        let height = match &self.ground {
            Ground::Outlines(outlines) => match bounds(outlines.iter().copied().flatten()) {
                Some((west, south, east, north)) => {
                    let squeeze = ((south + north) / 2.0).to_radians().cos();
                    (inner * (north - south) / ((east - west) * squeeze)).clamp(200.0, style.width)
                }
                None => 200.0,
            },
            Ground::Tiles(tiles) => {
                let (columns, rows) = extent(tiles);
                inner / columns as f64 * rows as f64
            }
        };
        let frame = Frame::new(&self.texts, legend, style, height);
        let (size, body) = (frame.size(), frame.body());
        let canvas = Canvas::new(document, size.0, size.1);
        frame.draw(&canvas, style.theme);
        match &self.ground {
            Ground::Outlines(outlines) => self.outlines(&canvas, outlines, body, &classes, style),
            Ground::Tiles(tiles) => self.tiles(&canvas, tiles, body, &classes, style),
        }
        canvas.finish()?;
        Ok((size, frame.title()))
    }

    fn outlines(&self, canvas: &Canvas<'_>, outlines: &[&Vec<Vec<Point>>], body: Area, classes: &Classes, style: &Style) {
        let Some((west, south, east, north)) = bounds(outlines.iter().copied().flatten()) else { return };
        let squeeze = ((south + north) / 2.0).to_radians().cos();
        let scale = (body.width() / ((east - west) * squeeze)).min(body.height() / (north - south));
        let (x0, y0) = (
            body.left + (body.width() - (east - west) * squeeze * scale) / 2.0,
            body.top + (body.height() - (north - south) * scale) / 2.0,
        );
        let project = |&(longitude, latitude): &Point| (x0 + (longitude - west) * squeeze * scale, y0 + (north - latitude) * scale);
        let edge = style.theme.background();
        let draw = |ring: &[Point], color, largest: bool| {
            let points = simplified(ring.iter().map(project));
            // What is smaller than a dot is one, and only if nothing else of its place can be seen.
            if points.len() < 4 {
                if largest && let Some(&(x, y)) = points.first() {
                    canvas.dot((x, y), 1.2, color);
                }
                return;
            }
            canvas.polygon(&points, color);
            let closed: Vec<Point> = points.iter().chain(points.first()).copied().collect();
            canvas.line(&closed, edge, 0.5);
        };
        let mains: Vec<Option<usize>> = outlines.iter().map(|rings| largest(rings)).collect();
        for ((place, rings), main) in self.places.iter().zip(outlines).zip(&mains) {
            let color = place.value.number().map_or(style.theme.empty(), |number| classes.color(number, style.theme));
            for (at, ring) in rings.iter().enumerate() {
                draw(ring, color, Some(at) == *main);
            }
        }
        // Names and marks stand above everything, or neighbours would cover them.
        for ((place, rings), main) in self.places.iter().zip(outlines).zip(&mains) {
            let Some(ring) = main.map(|main| &rings[main]) else { continue };
            let (x, y) = project(&center(ring));
            match place.value {
                Value::Number(number) => {
                    // A name stands only where it lies within its region whole: its ink was chosen for that ground.
                    let half = NAME.width(&place.label) / 2.0 + 2.0;
                    let there: Vec<Point> = ring.iter().map(&project).collect();
                    let room =
                        [(-half, -6.0), (half, -6.0), (-half, 6.0), (half, 6.0)].iter().all(|(dx, dy)| inside(&there, (x + dx, y + dy)));
                    if room {
                        canvas.text((x, y + 4.0), &place.label, NAME, readable_on(classes.color(number, style.theme)), Align::Middle);
                    }
                }
                Value::Suppressed => mark(canvas, place.value, x - 5.5, y, style.theme),
                Value::Impossible | Value::Unavailable => {}
            }
        }
    }

    fn tiles(&self, canvas: &Canvas<'_>, tiles: &[(usize, usize, String)], body: Area, classes: &Classes, style: &Style) {
        let (columns, rows) = extent(tiles);
        let side = (body.width() / columns as f64).min(body.height() / rows as f64);
        let (left, top) = (body.left + (body.width() - side * columns as f64) / 2.0, body.top);
        let (name, inside) = (Font::bold((side * 0.2).clamp(7.0, 15.0)), Font::plain((side * 0.17).clamp(6.5, 13.0)));
        for (place, (column, row, short)) in self.places.iter().zip(tiles) {
            let (x, y) = (left + side * *column as f64, top + side * *row as f64);
            let area = Area { left: x, top: y, right: x + side - 2.0, bottom: y + side - 2.0 };
            let color = place.value.number().map_or(style.theme.empty(), |number| classes.color(number, style.theme));
            let ink = readable_on(color);
            canvas.rect(area, color);
            canvas.text((x + side / 2.0 - 1.0, y + side * 0.42), &name.fitted(short, side - 6.0), name, ink, Align::Middle);
            match place.value {
                Value::Number(number) => {
                    canvas.text(
                        (x + side / 2.0 - 1.0, y + side * 0.72),
                        &inside.fitted(&style.number(number), side - 5.0),
                        inside,
                        ink,
                        Align::Middle,
                    );
                }
                other => mark(canvas, other, x + side / 2.0 - 6.5, y + side * 0.7, style.theme),
            }
        }
    }
}

/// The points of a ring that can be told apart.
fn simplified(points: impl Iterator<Item = Point>) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::new();
    for point in points {
        if kept.last().is_none_or(|last| (last.0 - point.0).hypot(last.1 - point.1) >= 0.6) {
            kept.push(point);
        }
    }
    kept
}

/// Columns and rows of a grid.
fn extent(tiles: &[(usize, usize, String)]) -> (usize, usize) {
    tiles.iter().fold((1, 1), |(columns, rows), (column, row, _)| (columns.max(column + 1), rows.max(row + 1)))
}

/// West, south, east and north of rings.
fn bounds<'a>(rings: impl Iterator<Item = &'a Vec<Point>>) -> Option<(f64, f64, f64, f64)> {
    let start = (f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY);
    let (west, south, east, north) =
        rings.flatten().fold(start, |(west, south, east, north), &(x, y)| (west.min(x), south.min(y), east.max(x), north.max(y)));
    (east > west && north > south).then_some((west, south, east, north))
}

/// The position of the largest of some rings.
fn largest(rings: &[Vec<Point>]) -> Option<usize> {
    let areas = rings.iter().map(|ring| area(ring).abs()).enumerate();
    areas.max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(at, _)| at)
}

/// Twice the area of a ring; negative if it runs clockwise.
fn area(ring: &[Point]) -> f64 {
    let next = ring.iter().skip(1).chain(ring.first());
    ring.iter().zip(next).map(|(a, b)| a.0 * b.1 - b.0 * a.1).sum()
}

/// Whether a point lies within a ring: whether a ray from it crosses the ring an odd number of times.
fn inside(ring: &[Point], (x, y): Point) -> bool {
    let next = ring.iter().skip(1).chain(ring.first());
    let crossed = |(a, b): &(&Point, &Point)| (a.1 > y) != (b.1 > y) && x < (b.0 - a.0) * (y - a.1) / (b.1 - a.1) + a.0;
    ring.iter().zip(next).filter(crossed).count() % 2 == 1
}

/// The centre of gravity of a ring.
fn center(ring: &[Point]) -> Point {
    let whole = area(ring);
    if whole.abs() < 1e-12 {
        return ring.first().copied().unwrap_or_default();
    }
    let next = ring.iter().skip(1).chain(ring.first());
    let (x, y) = ring.iter().zip(next).fold((0.0, 0.0), |(x, y), (a, b)| {
        let part = a.0 * b.1 - b.0 * a.1;
        (x + (a.0 + b.0) * part, y + (a.1 + b.1) * part)
    });
    (x / (3.0 * whole), y / (3.0 * whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn centres_lie_where_they_should() {
        let square = [(1.0, 1.0), (3.0, 1.0), (3.0, 3.0), (1.0, 3.0)];
        assert_eq!((area(&square), center(&square)), (8.0, (2.0, 2.0)));
        let reversed: Vec<Point> = square.iter().rev().copied().collect();
        assert_eq!((area(&reversed), center(&reversed)), (-8.0, (2.0, 2.0)));
    }
}
