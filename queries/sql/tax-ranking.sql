--! title = { id = "Peringkat kecamatan menurut usia produktif", en = "Ranking of districts by productive ages" }
--! description = { id = "Kecamatan dengan penduduk 15-64 tahun terbanyak di suatu wilayah.", en = "Districts with the most people aged 15-64 in a region." }
--! audience = { id = "Pajak", en = "Taxation" }
--! notes = [
--!     { id = "Kecamatan dengan angka yang dirahasiakan tidak berperingkat dan berada di akhir.", en = "Districts whose number is withheld have no rank and stand last." },
--! ]
--!
--! [[parameter]]
--! name = "region"
--! label = { id = "Wilayah", en = "Region" }
--! kind = "region"
--! levels = ["country", "province", "regency"]
--! default = "first"
--!
--! [[parameter]]
--! name = "period"
--! label = { id = "Periode", en = "Period" }
--! kind = "period"
--! default = "newest"
--!
--! [[parameter]]
--! name = "top"
--! label = { id = "Banyaknya baris", en = "Number of rows" }
--! kind = "integer"
--! from = 1
--! to = 10000
--! default = 20
--!
--! [[column]]
--! name = "rank"
--! label = { id = "Peringkat", en = "Rank" }
--! [[column]]
--! name = "region"
--! label = { id = "Kode wilayah", en = "Region code" }
--! codes = "region"
--! [[column]]
--! name = "region_name"
--! label = { id = "Kecamatan", en = "District" }
--! [[column]]
--! name = "productive"
--! label = { id = "Usia produktif (15-64)", en = "Productive ages (15-64)" }
--! unit = { id = "orang", en = "people" }
--! status = "productive_status"
--! [[column]]
--! name = "productive_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "productive_share"
--! label = { id = "Persentase usia produktif", en = "Share of productive ages" }
--! unit = { id = "%", en = "%" }
--! status = "productive_share_status"
--! [[column]]
--! name = "productive_share_status"
--! label = { id = "Keterangan", en = "Status" }

WITH places AS (
    SELECT district.code
    FROM dim_region district
    LEFT JOIN dim_region regency ON regency.code = district.parent
    LEFT JOIN dim_region province ON province.code = regency.parent
    WHERE district.level = 'district' AND $region IN (district.parent, regency.parent, province.parent)
),
cells AS (
    SELECT region, region_label, region_label_en, age, value, status
    FROM population
    WHERE period = $period AND region_level = 'district' AND sex = 'T' AND age IN ('T', 'Y15T64')
)
SELECT
    CASE WHEN productive.value IS NOT NULL THEN rank() OVER (ORDER BY productive.value DESC NULLS LAST) END AS rank,
    productive.region AS region,
    CASE $lang WHEN 'en' THEN productive.region_label_en ELSE productive.region_label END AS region_name,
    productive.value AS productive,
    productive.status AS productive_status,
    percent(productive.value, everyone.value) AS productive_share,
    percent_status(productive.status, everyone.status, everyone.value) AS productive_share_status
FROM cells productive
JOIN cells everyone ON everyone.region = productive.region AND everyone.age = 'T'
JOIN places ON places.code = productive.region
WHERE productive.age = 'Y15T64'
ORDER BY productive.value DESC NULLS LAST, productive.region
LIMIT $top
