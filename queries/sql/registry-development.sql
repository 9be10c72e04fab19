--! title = { id = "Perkembangan penduduk menurut semester", en = "Population from semester to semester" }
--! description = { id = "Penduduk menurut jenis kelamin, keluarga, dan pertumbuhan suatu wilayah pada setiap semester.", en = "People by sex, households and growth of a region in each semester." }
--! audience = { id = "Umum", en = "Everyone" }
--! notes = [
--!     { id = "Angka yang dirahasiakan (c) tidak diganti taksiran: jumlah, persentase, dan perubahan yang memerlukannya juga kosong.", en = "Withheld numbers (c) are not estimated: sums, shares and changes that need one are empty too." },
--! ]
--!
--! [[parameter]]
--! name = "region"
--! label = { id = "Wilayah", en = "Region" }
--! kind = "region"
--! default = "first"
--!
--! [[column]]
--! name = "period"
--! label = { id = "Periode", en = "Period" }
--! codes = "period"
--! [[column]]
--! name = "people"
--! label = { id = "Penduduk", en = "Population" }
--! unit = { id = "orang", en = "people" }
--! status = "people_status"
--! [[column]]
--! name = "people_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "growth"
--! label = { id = "Pertumbuhan sejak semester sebelumnya", en = "Growth since the semester before" }
--! unit = { id = "%", en = "%" }
--! status = "growth_status"
--! [[column]]
--! name = "growth_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "men"
--! label = { id = "Laki-laki", en = "Men" }
--! unit = { id = "orang", en = "people" }
--! status = "men_status"
--! [[column]]
--! name = "men_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "women"
--! label = { id = "Perempuan", en = "Women" }
--! unit = { id = "orang", en = "people" }
--! status = "women_status"
--! [[column]]
--! name = "women_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "households"
--! label = { id = "Keluarga", en = "Households" }
--! unit = { id = "keluarga", en = "households" }
--! status = "households_status"
--! [[column]]
--! name = "households_status"
--! label = { id = "Keterangan", en = "Status" }

WITH cells AS (
    SELECT period, sex, value, status
    FROM population
    WHERE region = $region AND age_level = 'total'
),
everyone AS (
    SELECT
        period,
        value,
        status,
        lag(value) OVER (ORDER BY period) AS before,
        lag(status) OVER (ORDER BY period) AS before_status,
        row_number() OVER (ORDER BY period) AS place
    FROM cells
    WHERE sex = 'T'
),
families AS (
    SELECT period, value, status
    FROM households
    WHERE region = $region AND household_size_level = 'total'
)
SELECT
    everyone.period AS period,
    everyone.value AS people,
    everyone.status AS people_status,
    percent(everyone.value - everyone.before, everyone.before) AS growth,
    CASE WHEN everyone.place = 1 THEN 'x' ELSE percent_status(everyone.status, everyone.before_status, everyone.before) END AS growth_status,
    men.value AS men,
    men.status AS men_status,
    women.value AS women,
    women.status AS women_status,
    families.value AS households,
    families.status AS households_status
FROM everyone
JOIN cells men ON men.period = everyone.period AND men.sex = 'L'
JOIN cells women ON women.period = everyone.period AND women.sex = 'P'
JOIN families ON families.period = everyone.period
ORDER BY everyone.period
