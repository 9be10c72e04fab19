--! title = { id = "Pencari pasar: kecamatan menurut kelompok sasaran", en = "Market finder: districts by target group" }
--! description = { id = "Kecamatan dengan penduduk terbanyak pada kelompok umur, kelompok pekerjaan, dan status kawin yang dipilih, beserta persentasenya terhadap seluruh penduduk kecamatan dan pertumbuhannya.", en = "Districts with the most people of a chosen age group, occupation group and marital status, with their share of all people of the district and their growth." }
--! audience = { id = "Perbankan", en = "Banking" }
--! notes = [
--!     { id = "Kecamatan dengan angka yang dirahasiakan tidak berperingkat dan berada di akhir.", en = "Districts whose number is withheld have no rank and stand last." },
--!     { id = "Angka yang dirahasiakan (c) tidak diganti taksiran: jumlah, persentase, dan perubahan yang memerlukannya juga kosong.", en = "Withheld numbers (c) are not estimated: sums, shares and changes that need one are empty too." },
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
--! name = "age"
--! label = { id = "Kelompok umur", en = "Age group" }
--! kind = "code"
--! dimension = "age"
--! levels = ["total", "broad", "stage"]
--! default = "Y15T64"
--!
--! [[parameter]]
--! name = "occupation"
--! label = { id = "Kelompok pekerjaan", en = "Occupation group" }
--! kind = "code"
--! dimension = "occupation"
--! levels = ["total", "activity", "group"]
--! default = "ACTIVE"
--!
--! [[parameter]]
--! name = "marital"
--! label = { id = "Status kawin", en = "Marital status" }
--! kind = "code"
--! dimension = "marital"
--! levels = ["total", "status"]
--! default = "T"
--!
--! [[parameter]]
--! name = "period"
--! label = { id = "Periode", en = "Period" }
--! kind = "period"
--! default = "newest"
--!
--! [[parameter]]
--! name = "before"
--! label = { id = "Periode pembanding", en = "Period to compare with" }
--! kind = "period"
--! default = "previous"
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
--! name = "people"
--! label = { id = "Penduduk kelompok ini", en = "People of this group" }
--! unit = { id = "orang", en = "people" }
--! status = "people_status"
--! [[column]]
--! name = "people_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "share"
--! label = { id = "Persentase penduduk kecamatan", en = "Share of all people of the district" }
--! unit = { id = "%", en = "%" }
--! status = "share_status"
--! [[column]]
--! name = "share_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "before"
--! label = { id = "Sebelumnya", en = "Before" }
--! unit = { id = "orang", en = "people" }
--! status = "before_status"
--! [[column]]
--! name = "before_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "growth"
--! label = { id = "Pertumbuhan", en = "Growth" }
--! unit = { id = "%", en = "%" }
--! status = "growth_status"
--! [[column]]
--! name = "growth_status"
--! label = { id = "Keterangan", en = "Status" }

WITH places AS (
    SELECT district.code
    FROM dim_region district
    LEFT JOIN dim_region regency ON regency.code = district.parent
    LEFT JOIN dim_region province ON province.code = regency.parent
    WHERE district.level = 'district' AND $region IN (district.parent, regency.parent, province.parent)
),
wanted AS (
    SELECT period, region, region_label, region_label_en, value, status
    FROM market
    WHERE period IN ($period, $before) AND region_level = 'district' AND age = $age AND occupation = $occupation AND marital = $marital
),
everyone AS (
    SELECT region, value, status
    FROM market
    WHERE period = $period AND region_level = 'district' AND age_level = 'total' AND occupation_level = 'total' AND marital_level = 'total'
)
SELECT
    CASE WHEN now.value IS NOT NULL THEN rank() OVER (ORDER BY now.value DESC NULLS LAST) END AS rank,
    now.region AS region,
    CASE $lang WHEN 'en' THEN now.region_label_en ELSE now.region_label END AS region_name,
    now.value AS people,
    now.status AS people_status,
    percent(now.value, everyone.value) AS share,
    percent_status(now.status, everyone.status, everyone.value) AS share_status,
    before.value AS before,
    before.status AS before_status,
    percent(now.value - before.value, before.value) AS growth,
    percent_status(now.status, before.status, before.value) AS growth_status
FROM wanted now
JOIN wanted before ON before.region = now.region AND before.period = $before
JOIN everyone ON everyone.region = now.region
JOIN places ON places.code = now.region
WHERE now.period = $period
ORDER BY now.value DESC NULLS LAST, now.region
LIMIT $top
