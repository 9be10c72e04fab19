//! Who does what: occupations as the register numbers them, by sex, age and surroundings.

use super::people::Person;

/// Register code of people who do not work (yet).
pub const NONE: u8 = 1;
const HOME: u8 = 2;
const PUPIL: u8 = 3;
const EMPLOYEE: u8 = 15;
/// Register code of pensioners.
pub const PENSIONER: u8 = 4;

/// A career, its weights for men and women in towns and in the country, and the ages between which it is followed.
struct Career {
    code: u8,
    /// Town men, town women, country men, country women.
    weights: [u16; 4],
    /// Age at which it begins; 0: soon after school, at 16 to 21.
    start: u8,
    /// Age at which a pension follows; 0: no pension, people stop when they are old.
    pension: u8,
}

const fn career(code: u8, weights: [u16; 4], start: u8, pension: u8) -> Career {
    Career { code, weights, start, pension }
}

/// Shares are guesses that look right, not measurements. Rare offices are a little too common, so that samples have them.
const CAREERS: &[Career] = &[
    career(5, [500, 500, 200, 200], 22, 58),
    career(6, [120, 6, 40, 1], 19, 55),
    career(7, [130, 8, 40, 2], 19, 58),
    career(8, [150, 200, 80, 100], 0, 0),
    career(9, [200, 100, 5200, 3600], 0, 0),
    career(10, [20, 10, 150, 60], 0, 0),
    career(11, [60, 5, 300, 20], 0, 0),
    career(12, [120, 100, 40, 40], 0, 0),
    career(13, [150, 4, 150, 2], 0, 0),
    career(14, [120, 4, 60, 1], 0, 0),
    career(15, [6500, 4200, 2400, 1800], 0, 0),
    career(16, [180, 90, 40, 20], 22, 56),
    career(17, [60, 30, 15, 8], 22, 56),
    career(18, [150, 200, 60, 80], 20, 0),
    career(19, [1500, 500, 2400, 900], 0, 0),
    career(20, [60, 40, 1200, 1100], 0, 0),
    career(21, [10, 0, 60, 2], 0, 0),
    career(22, [5, 1, 40, 10], 0, 0),
    career(23, [5, 120, 5, 90], 0, 0),
    career(24, [20, 1, 10, 0], 0, 0),
    career(25, [20, 0, 10, 0], 0, 0),
    career(26, [60, 0, 200, 0], 0, 0),
    career(27, [50, 0, 150, 0], 0, 0),
    career(28, [4, 0, 2, 0], 0, 0),
    career(29, [30, 0, 30, 0], 0, 0),
    career(30, [30, 120, 30, 120], 0, 0),
    career(31, [2, 0, 1, 0], 0, 0),
    career(32, [2, 20, 1, 8], 0, 0),
    career(33, [1, 6, 0, 2], 0, 0),
    career(34, [4, 20, 1, 6], 0, 0),
    career(35, [120, 2, 80, 1], 0, 0),
    career(36, [20, 8, 15, 6], 0, 0),
    career(37, [2, 1, 3, 2], 30, 0),
    career(38, [0, 1, 0, 4], 35, 0),
    career(39, [3, 6, 0, 1], 22, 0),
    career(40, [3, 3, 0, 0], 23, 0),
    career(41, [3, 0, 4, 0], 25, 0),
    career(42, [12, 6, 10, 4], 26, 0),
    career(43, [5, 0, 3, 0], 28, 0),
    career(44, [20, 8, 4, 1], 23, 0),
    career(45, [12, 4, 14, 4], 22, 0),
    career(46, [25, 30, 8, 10], 0, 0),
    career(47, [2, 1, 0, 0], 24, 0),
    career(48, [1, 1, 0, 0], 35, 0),
    career(49, [1, 0, 0, 0], 35, 0),
    career(55, [1, 1, 0, 0], 45, 62),
    career(58, [1, 0, 1, 0], 40, 0),
    career(60, [1, 0, 0, 0], 40, 0),
    career(62, [1, 1, 1, 0], 30, 0),
    career(63, [2, 1, 2, 1], 30, 0),
    career(64, [70, 60, 6, 5], 26, 65),
    career(65, [260, 600, 140, 380], 23, 60),
    career(66, [6, 0, 0, 0], 23, 60),
    career(67, [20, 8, 2, 0], 25, 0),
    career(68, [6, 8, 0, 0], 28, 0),
    career(69, [12, 4, 1, 0], 24, 0),
    career(70, [6, 10, 0, 1], 23, 0),
    career(71, [20, 10, 2, 1], 26, 0),
    career(72, [60, 80, 4, 6], 25, 0),
    career(73, [0, 140, 0, 100], 22, 0),
    career(74, [60, 180, 25, 90], 22, 58),
    career(75, [4, 20, 1, 4], 24, 0),
    career(76, [2, 6, 0, 0], 26, 0),
    career(77, [2, 3, 0, 0], 22, 0),
    career(78, [3, 3, 1, 0], 21, 0),
    career(79, [80, 2, 40, 0], 19, 0),
    career(80, [6, 6, 0, 0], 26, 60),
    career(81, [420, 4, 380, 2], 19, 0),
    career(82, [3, 1, 1, 0], 24, 0),
    career(83, [2, 1, 2, 1], 35, 0),
    career(84, [700, 900, 450, 700], 0, 0),
    career(85, [40, 20, 180, 60], 22, 60),
    career(86, [1, 0, 12, 1], 32, 0),
    career(87, [0, 14, 0, 8], 22, 0),
    career(88, [2900, 1700, 2000, 1300], 20, 0),
    career(89, [1, 0, 0, 0], 40, 0),
    career(90, [3, 3, 0, 0], 17, 0),
    career(91, [8, 4, 2, 1], 17, 0),
    career(92, [20, 6, 2, 1], 20, 0),
    career(93, [40, 20, 2, 1], 28, 0),
    career(94, [20, 50, 6, 14], 19, 58),
    career(95, [40, 20, 16, 8], 18, 0),
    career(96, [30, 40, 50, 80], 0, 0),
    career(97, [60, 3, 20, 0], 19, 0),
    career(98, [4, 4, 0, 0], 24, 0),
    career(99, [120, 80, 100, 60], 0, 0),
];

/// Equally likely draws that each table is spread over.
const DRAWS: usize = 1 << 14;

/// Careers ready to be drawn.
#[derive(Debug)]
pub struct Careers {
    /// For each column of weights the positions in [`CAREERS`], each as often as its weight says.
    tables: [Vec<u8>; 4],
}

impl Careers {
    /// Spreads the weights over equally likely draws.
    pub fn new() -> Self {
        Self { tables: std::array::from_fn(spread) }
    }

    /// The occupation that the register holds of a living person.
    pub fn occupation(&self, person: &Person, age: u8, ever_married: bool, town: bool) -> u8 {
        let Person { female, draws, .. } = *person;
        if age < 6 {
            return NONE;
        }
        let table = usize::from(!town) * 2 + usize::from(female);
        let at = self.tables[table][draws as usize % DRAWS];
        let Career { code, start, pension, .. } = CAREERS[usize::from(at)];
        // Other bits of the same draw decide the rest of a working life.
        let bits = (draws >> 14) as u32;
        let leaves_school = 15 + (bits & 3) as u8;
        let begins = if start == 0 { leaves_school + 1 + (bits >> 2 & 3) as u8 } else { start };
        if age < begins {
            return match age {
                6 if bits & 1 == 0 => NONE,
                age if age < leaves_school || (start >= 22 && age < 23) => PUPIL,
                // What people do until they are old enough for what they become.
                23.. => EMPLOYEE,
                _ => NONE,
            };
        }
        if pension != 0 && age >= pension {
            return PENSIONER;
        }
        let learned = start >= 22;
        let stops = 62 + (bits >> 4 & 15) as u8;
        let keeps_house = female && ever_married && (bits >> 8 & 15) < if learned { 1 } else { 7 };
        if age >= stops {
            return if female { HOME } else { NONE };
        }
        if keeps_house {
            return HOME;
        }
        // One in sixteen is without work at any age, another one while young.
        let idle = bits >> 12 & 15;
        if !learned && (idle == 0 || (idle == 1 && age < 25)) { NONE } else { code }
    }
}

fn spread(column: usize) -> Vec<u8> {
    let total: usize = CAREERS.iter().map(|career| usize::from(career.weights[column])).sum();
    let mut table = Vec::with_capacity(DRAWS);
    let mut sum = 0;
    for (at, career) in CAREERS.iter().enumerate() {
        sum += usize::from(career.weights[column]);
        let end = (sum * DRAWS).div_ceil(total.max(1));
        table.resize(end.min(DRAWS), at as u8);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_draw_is_a_career_of_the_column() {
        for column in 0..4 {
            let table = spread(column);
            assert_eq!(table.len(), DRAWS);
            assert!(table.iter().all(|at| CAREERS[usize::from(*at)].weights[column] > 0));
            assert!(CAREERS.windows(2).all(|pair| pair[0].code < pair[1].code));
        }
    }

    #[test]
    fn children_have_no_work_and_no_pension() {
        let careers = Careers::new();
        let mut pensioners = 0;
        for draws in (0..2_000_000u64).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15)) {
            let person = Person { birth: 0, death: i32::MAX, leaves: i32::MAX, alone: i32::MAX, female: draws >> 63 == 0, draws };
            for age in [0, 5, 6, 9, 14] {
                assert!([NONE, PUPIL].contains(&careers.occupation(&person, age, false, true)), "{age}");
            }
            pensioners += usize::from(careers.occupation(&person, 66, true, draws & 1 == 0) == PENSIONER);
        }
        assert!(pensioners > 50_000);
    }
}
