//! Outlines of regions, as GeoJSON or TopoJSON, matched by code.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::draw::canvas::Point;
use crate::{
    error::{Error, Result},
    storage::{FileDigest, Store, StoredFile},
    tables::UnionDimension,
};

/// Where outlines lie beside the releases.
const FOLDER: &str = "boundaries";

/// Points of all outlines of a file, at most.
const MOST_POINTS: usize = 20_000_000;

/// Outlines by the code of their region: rings of longitude and latitude, the inner ones after those they lie in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Boundaries {
    outlines: BTreeMap<String, Vec<Vec<Point>>>,
    /// Changes with the outlines that were loaded.
    #[serde(skip)]
    digest: String,
}

/// What became of a file of outlines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// Outlines whose code is that of a region.
    pub matched: usize,
    /// Codes in the file that no region has.
    pub unknown: Vec<String>,
    /// Regions of the levels in the file that have no outline in it.
    pub missing: Vec<String>,
}

impl Boundaries {
    /// Reads a file, whose regions are told by `id` or by one of their properties. `name` stands for the file in errors.
    ///
    /// # Errors
    /// Where it is neither GeoJSON nor TopoJSON, or holds no polygon with a code.
    pub fn parse(text: &str, name: &str, region: &UnionDimension) -> Result<(Self, Matched)> {
        let wrong = |problem: String| Error::Input(format!("{name}: {problem}"));
        let document: Value =
            serde_json::from_str(text).map_err(|error| wrong(format!("no JSON: {error}; expected GeoJSON or TopoJSON")))?;
        let found = match document["type"].as_str() {
            Some("FeatureCollection") => geojson(&document),
            Some("Topology") => topojson(&document),
            other => {
                Err(format!("the type is {}; expected FeatureCollection (GeoJSON) or Topology (TopoJSON)", other.unwrap_or("missing")))
            }
        };
        let found = found.map_err(wrong)?;
        if found.is_empty() {
            return Err(wrong("there is no polygon in it".into()));
        }
        let (mut outlines, mut unknown): (BTreeMap<String, Vec<Vec<Point>>>, Vec<String>) = (BTreeMap::new(), Vec::new());
        let mut levels: Vec<u8> = Vec::new();
        for Outline { names, rings } in found {
            // Codes are written with dots or without.
            let known = names.iter().find_map(|name| region.find(name).or_else(|| region.find(&name.replace('.', ""))));
            match known {
                Some(node) => {
                    let node = &region.nodes[node as usize];
                    levels.push(node.level);
                    outlines.entry(node.code.clone()).or_default().extend(rings);
                }
                None => unknown.push(names.first().cloned().unwrap_or_else(|| "?".into())),
            }
        }
        if outlines.is_empty() {
            let examples: Vec<&str> = unknown.iter().take(5).map(String::as_str).collect();
            return Err(wrong(format!("none of its codes is that of a region; they are like {}", examples.join(", "))));
        }
        let missing = region.nodes.iter().filter(|node| levels.contains(&node.level) && !outlines.contains_key(&node.code));
        let missing = missing.map(|node| node.code.clone()).collect();
        let matched = Matched { matched: outlines.len(), unknown, missing };
        Ok((Self { outlines, digest: String::new() }, matched))
    }

    /// The files of outlines that are installed beside the releases; they change whenever outlines do.
    ///
    /// # Errors
    /// Where they cannot be listed.
    pub async fn survey(store: &Store) -> Result<Vec<StoredFile>> {
        store.list(FOLDER).await
    }

    /// Reads all outlines that are installed beside the releases.
    ///
    /// # Errors
    /// Where they cannot be read, or are not what [`Self::install`] wrote.
    pub async fn load(store: &Store) -> Result<Self> {
        let mut all = Self::default();
        for file in store.list(FOLDER).await? {
            let Some(content) = store.read(&file.path).await? else { continue };
            let read = serde_json::from_slice(&content);
            all.digest.push_str(&FileDigest::of(&content).sha256);
            all.extend(read.map_err(|error| {
                Error::Input(format!("{store}/{}: {error}; install the outlines anew with 'cacah boundaries add'", file.path))
            })?);
        }
        Ok(all)
    }

    /// Writes outlines beside the releases, in the place of others of the same name.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub async fn install(&self, store: &Store, name: &str) -> Result<()> {
        let content = serde_json::to_vec(self).map_err(|error| Error::Internal(error.to_string()))?;
        store.write(&format!("{FOLDER}/{name}.json"), content).await
    }

    /// Takes in the outlines of others; theirs replace our own of the same region.
    pub fn extend(&mut self, others: Self) {
        self.outlines.extend(others.outlines);
    }

    /// The rings of a region.
    pub fn outline(&self, code: &str) -> Option<&Vec<Vec<Point>>> {
        self.outlines.get(code)
    }

    /// A text that changes with the outlines that were loaded.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// How many regions have an outline.
    pub fn len(&self) -> usize {
        self.outlines.len()
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.outlines.is_empty()
    }
}

/// A shape of a file and what it may be called.
struct Outline {
    names: Vec<String>,
    rings: Vec<Vec<Point>>,
}

/// What a shape may be called: its identifier, then every text or number among its properties.
fn names(shape: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let properties = shape["properties"].as_object().into_iter().flat_map(|properties| properties.values());
    std::iter::once(&shape["id"]).chain(properties).filter_map(text).filter(|text| !text.is_empty()).collect()
}

fn geojson(document: &Value) -> Result<Vec<Outline>, String> {
    let features = document["features"].as_array().ok_or("'features' is no list")?;
    let mut count = 0;
    let mut ring = |points: &Value| -> Result<Vec<Point>, String> {
        let points = points.as_array().ok_or("a ring is no list")?;
        count += points.len();
        if count > MOST_POINTS {
            return Err(format!("more than {MOST_POINTS} points; simplify the outlines first"));
        }
        points.iter().map(|point| place(&point[0], &point[1])).collect()
    };
    let mut outlines = Vec::new();
    for feature in features {
        let geometry = &feature["geometry"];
        let mut rings = Vec::new();
        for polygon in polygons(geometry, "coordinates") {
            for points in polygon {
                rings.push(ring(points)?);
            }
        }
        if !rings.is_empty() {
            outlines.push(Outline { names: names(feature), rings });
        }
    }
    Ok(outlines)
}

/// The polygons of a geometry, each a list of rings.
fn polygons<'a>(geometry: &'a Value, key: &str) -> Vec<&'a Vec<Value>> {
    match geometry["type"].as_str() {
        Some("Polygon") => geometry[key].as_array().into_iter().collect(),
        Some("MultiPolygon") => geometry[key].as_array().into_iter().flatten().filter_map(Value::as_array).collect(),
        _ => Vec::new(),
    }
}

fn place(longitude: &Value, latitude: &Value) -> Result<Point, String> {
    match (longitude.as_f64(), latitude.as_f64()) {
        (Some(x), Some(y)) if (-180.0..=180.0).contains(&x) && (-90.0..=90.0).contains(&y) => Ok((x, y)),
        _ => Err(format!("{longitude}, {latitude} is no place; expected degrees of longitude and latitude (WGS 84)")),
    }
}

fn topojson(document: &Value) -> Result<Vec<Outline>, String> {
    let number = |value: &Value| value.as_f64().unwrap_or(0.0);
    let transform = document.get("transform").map(|transform| {
        let (scale, translate) = (&transform["scale"], &transform["translate"]);
        (number(&scale[0]), number(&scale[1]), number(&translate[0]), number(&translate[1]))
    });
    let mut count = 0;
    let mut arcs: Vec<Vec<Point>> = Vec::new();
    for arc in document["arcs"].as_array().ok_or("'arcs' is no list")? {
        let points = arc.as_array().ok_or("an arc is no list")?;
        count += points.len();
        if count > MOST_POINTS {
            return Err(format!("more than {MOST_POINTS} points; simplify the outlines first"));
        }
        let (mut x, mut y) = (0.0, 0.0);
        let mut decoded = Vec::with_capacity(points.len());
        for point in points {
            // With a transformation, points are steps from the one before.
            decoded.push(match transform {
                Some((scale_x, scale_y, left, bottom)) => {
                    (x, y) = (x + number(&point[0]), y + number(&point[1]));
                    place(&(x * scale_x + left).into(), &(y * scale_y + bottom).into())?
                }
                None => place(&point[0], &point[1])?,
            });
        }
        arcs.push(decoded);
    }
    let objects = document["objects"].as_object().ok_or("'objects' is no object")?;
    let mut outlines = Vec::new();
    for object in objects.values() {
        for geometry in object["geometries"].as_array().map_or(std::slice::from_ref(object), Vec::as_slice) {
            let mut rings = Vec::new();
            for polygon in polygons(geometry, "arcs") {
                for indices in polygon {
                    rings.push(ring_of(indices, &arcs)?);
                }
            }
            if !rings.is_empty() {
                outlines.push(Outline { names: names(geometry), rings });
            }
        }
    }
    Ok(outlines)
}

/// Joins arcs to a ring; one's complement of a number means the arc from its end.
fn ring_of(indices: &Value, arcs: &[Vec<Point>]) -> Result<Vec<Point>, String> {
    let mut ring: Vec<Point> = Vec::new();
    for index in indices.as_array().ok_or("a ring is no list of arcs")? {
        let index = index.as_i64().ok_or("an arc is no number")?;
        let at = usize::try_from(if index < 0 { !index } else { index }).map_err(|_| "an arc is out of range")?;
        let arc = arcs.get(at).ok_or_else(|| format!("there is no arc {at}"))?;
        // The first point of an arc is the last of the one before.
        let skipped = usize::from(!ring.is_empty());
        if index < 0 {
            ring.extend(arc.iter().rev().skip(skipped));
        } else {
            ring.extend(arc.iter().skip(skipped));
        }
        if ring.len() > MOST_POINTS {
            return Err("a ring has too many points".into());
        }
    }
    Ok(ring)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::{Dimension, Label, Level, Node, Role};

    fn region() -> UnionDimension {
        let node =
            |code: &str, parent, level| Node { code: code.into(), label: Label::same(code), parent, level, official: None, area: None };
        let level = |id: &str| Level { id: id.into(), label: Label::same(id) };
        let dimension = Dimension {
            id: "region".into(),
            variable: "Region".into(),
            label: Label::same("region"),
            role: Role::Geo,
            sensitive: false,
            levels: vec![level("country"), level("province")],
            nodes: vec![node("T", None, 0), node("1101", Some(0), 1), node("1102", Some(0), 1)],
            groupings: Vec::new(),
        };
        UnionDimension::new(&[Some(&dimension)]).unwrap()
    }

    #[test]
    fn both_kinds_of_file_give_the_same_outlines() {
        let geo = r#"{"type":"FeatureCollection","features":[
            {"type":"Feature","properties":{"kode":"11.01"},"geometry":{"type":"Polygon","coordinates":[[[0,0],[2,0],[2,2],[0,0]]]}},
            {"type":"Feature","id":"99","properties":null,"geometry":{"type":"MultiPolygon","coordinates":[[[[5,5],[6,5],[6,6],[5,5]]]]}},
            {"type":"Feature","id":"1102","properties":{},"geometry":{"type":"Point","coordinates":[1,1]}}]}"#;
        let topo = r#"{"type":"Topology","transform":{"scale":[1,1],"translate":[0,0]},"arcs":[[[0,0],[2,0]],[[0,0],[2,2],[0,-2]]],
            "objects":{"any":{"type":"GeometryCollection","geometries":[{"type":"Polygon","id":"11.01","arcs":[[0,-2]]},
            {"type":"Polygon","id":"99","arcs":[[0,1]]}]}}}"#;
        let (geo, matched) = Boundaries::parse(geo, "a", &region()).unwrap();
        assert_eq!(matched, Matched { matched: 1, unknown: vec!["99".into()], missing: vec!["1102".into()] });
        let (topo, other) = Boundaries::parse(topo, "b", &region()).unwrap();
        assert_eq!(other, matched);
        assert_eq!(geo.outline("1101").unwrap()[0].len(), 4);
        assert_eq!(topo.outline("1101").unwrap(), &vec![vec![(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 0.0)]]);
    }

    #[test]
    fn what_is_no_file_of_outlines_is_refused() {
        let check = |text: &str, says: &str| {
            let error = Boundaries::parse(text, "map.json", &region()).unwrap_err().to_string();
            assert!(error.contains("map.json") && error.contains(says), "{text}: {error}");
        };
        check("", "no JSON");
        check("[1,2]", "expected FeatureCollection");
        check(r#"{"type":"FeatureCollection","features":{}}"#, "no list");
        check(r#"{"type":"FeatureCollection","features":[]}"#, "no polygon");
        let far =
            r#"{"type":"FeatureCollection","features":[{"id":"1101","geometry":{"type":"Polygon","coordinates":[[[700000,9000000]]]}}]}"#;
        check(far, "expected degrees");
        check(r#"{"type":"Topology","arcs":[],"objects":{"a":{"type":"Polygon","id":"1101","arcs":[[7]]}}}"#, "there is no arc 7");
        let stranger = r#"{"type":"FeatureCollection","features":[{"id":"X","geometry":{"type":"Polygon","coordinates":[[[1,1]]]}}]}"#;
        check(stranger, "none of its codes is that of a region; they are like X");
    }
}
