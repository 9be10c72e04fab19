//! From the people who live on a day to the records that a register holds of them.

use std::collections::BTreeMap;

use super::{
    calendar::Calendar,
    careers::Careers,
    flaws::{Flaw, Spoiler},
    people::{Household, Marital, Member, Move, mix},
    places::{Place, Places},
    rows::{BATCH, Record, Rows},
    texts::{self, TextColumn, Texts},
};
use crate::error::Result;

/// The 26 women's days of birth are counted from 41.
const WOMEN_DAYS: u32 = 400_000;

/// Turns villages into records.
pub struct Recorder<'a> {
    places: &'a Places,
    texts: &'a Texts,
    calendar: &'a Calendar,
    careers: Careers,
    spoiler: Spoiler,
    rows: Rows,
    household: Household,
    /// Records that were spoilt, by what is wrong with them.
    pub flaws: BTreeMap<Flaw, u64>,
}

/// Takes batches of records to a file.
pub trait Sink {
    /// Writes the records and takes them out.
    fn write(&mut self, rows: &mut Rows, calendar: &Calendar) -> Result<()>;
}

impl<'a> Recorder<'a> {
    /// Records as of the calendar's reference date, this share of them spoilt.
    pub fn new(places: &'a Places, texts: &'a Texts, calendar: &'a Calendar, dirty: f64) -> Self {
        let spoiler = Spoiler::new(dirty, calendar.reference);
        Self {
            places,
            texts,
            calendar,
            careers: Careers::new(),
            spoiler,
            rows: Rows::default(),
            household: Household::empty(),
            flaws: BTreeMap::new(),
        }
    }

    /// Records everybody who lives in a village; says how many.
    pub fn village(&mut self, at: usize, sink: &mut dyn Sink) -> Result<u64> {
        let before = at.checked_sub(1).and_then(|before| self.sound_identity(before));
        self.spoiler.next_village(before);
        let day = self.calendar.reference;
        let here = &self.places.places[at];
        let mut household = std::mem::replace(&mut self.household, Household::empty());
        let mut people = 0;
        for number in here.village.families(day) {
            let Some(family) = here.village.family(number, day) else { continue };
            if here.village.moved(number, day).is_none() {
                here.village.fill_home(&family, day, &mut household);
                people += self.household(&household, here, here);
            }
            for kind in 1..=3 {
                here.village.fill_single(&family, kind, day, &mut household);
                people += self.household(&household, here, here);
            }
            self.flush(sink, BATCH)?;
        }
        for direction in [Move::Near, Move::Far] {
            let from = &self.places.places[source(at, direction, self.places.places.len())];
            let numbers = from.village.families(day);
            let block = direction.block();
            for number in
                (numbers.start.div_euclid(block)..=numbers.end.div_euclid(block)).map(|block| from.village.mover(direction, block))
            {
                if !numbers.contains(&number) || from.village.moved(number, day) != Some(direction) {
                    continue;
                }
                let Some(family) = from.village.family(number, day) else { continue };
                from.village.fill_home(&family, day, &mut household);
                people += self.household(&household, from, here);
                self.flush(sink, BATCH)?;
            }
        }
        self.household = household;
        Ok(people)
    }

    /// Writes what has gathered, once it is at least so much.
    pub fn flush(&mut self, sink: &mut dyn Sink, least: usize) -> Result<()> {
        if self.rows.len() >= least.max(1) {
            sink.write(&mut self.rows, self.calendar)?;
        }
        Ok(())
    }

    /// Records a household that stems from one village and lives in another, or the same.
    fn household(&mut self, household: &Household, from: &Place, here: &Place) -> u64 {
        let members = household.members();
        if members.is_empty() {
            return 0;
        }
        let bits = mix(here.seed ^ u64::from(household.kind), household.family as u64);
        let origin = &self.places.regencies[from.regency];
        let habits = self.places.regencies[here.regency].habits;
        let religion = origin.religion(from.village.lineage(household.family));
        let balinese = origin.balinese(religion);
        let (address, hamlet) = texts::address(bits, here.town);
        let card = {
            let (first, room) = from.serials;
            let digits = self.calendar.day(from.village.turn(household.family)).digits;
            let serial = first + from.village.card(household.family, household.kind, self.calendar, room);
            from.district * 10_000_000_000 + i64::from(digits) * 10_000 + i64::from(serial)
        };
        let [province, regency, district, village] = here.parts;
        let numbers = [1 + (bits >> 48 & 7) as i32, 1 + (bits >> 51 & 7) as i32, province, regency, district, village, here.postal];
        for member in members {
            let person = &member.person;
            let birth = self.calendar.day(person.birth);
            let occupation = self.careers.occupation(person, birth.age, member.marital != Marital::Never, from.town);
            let mut record =
                Record { identity: self.identity(member, from), card, birth: person.birth, texts: [0; TextColumn::ALL.len()], numbers };
            let mut put = |column: TextColumn, key: i32| record.texts[column as usize] = key;
            put(TextColumn::Name, texts::name(member, from.village.place(member.family, member.role), balinese));
            put(TextColumn::Birthplace, self.birthplace(person.draws, from));
            put(TextColumn::Sex, habits.sex(person.female));
            put(TextColumn::Religion, habits.religion(religion));
            put(TextColumn::Marital, habits.marital(member.marital, household.family));
            put(TextColumn::Relation, habits.relation(member.relation));
            put(TextColumn::Occupation, texts::occupation(occupation, person.draws >> 40));
            put(TextColumn::Address, address);
            put(TextColumn::Hamlet, hamlet);
            let luck = self.luck(member);
            if let Some(flaw) = self.spoiler.pass(&mut record, luck, self.texts, habits) {
                *self.flaws.entry(flaw).or_default() += 1;
            }
            self.rows.push(&record);
        }
        members.len() as u64
    }

    /// Random bits that decide whether a record is spoilt, others in every period.
    fn luck(&self, member: &Member) -> u64 {
        mix(member.person.draws, self.calendar.reference as u64)
    }

    /// The identity number of one of those in a village whose records are sound.
    fn sound_identity(&self, at: usize) -> Option<i64> {
        let (place, day) = (&self.places.places[at], self.calendar.reference);
        let mut household = Household::empty();
        place.village.families(day).find_map(|number| {
            let family = place.village.family(number, day).filter(|_| place.village.moved(number, day).is_none())?;
            place.village.fill_home(&family, day, &mut household);
            let sound = household.members().iter().find(|member| self.spoiler.is_spared(self.luck(member)))?;
            Some(self.identity(sound, place))
        })
    }

    /// District, birth date and serial number of the first registration.
    fn identity(&self, member: &Member, from: &Place) -> i64 {
        let (first, room) = from.serials;
        let serial = first + from.village.serial(member.family, member.role, self.calendar, member.person.birth, room);
        let digits = self.calendar.day(member.person.birth).digits + if member.person.female { WOMEN_DAYS } else { 0 };
        from.district * 10_000_000_000 + i64::from(digits) * 10_000 + i64::from(serial)
    }

    /// The regency of birth; one in sixteen was born in another one.
    fn birthplace(&self, draws: u64, from: &Place) -> i32 {
        let elsewhere = draws >> 44 & 15 == 0;
        (if elsewhere { (draws >> 48) as usize % self.places.regencies.len() } else { from.regency }) as i32
    }
}

/// The village from which families move to this one.
fn source(at: usize, direction: Move, villages: usize) -> usize {
    let distance = match direction {
        Move::Near => 1,
        Move::Far => villages / 3 + 1,
    };
    (at + villages * 2 - distance) % villages
}
