--! title = { id = "Kelompok pekerjaan penduduk usia produktif", en = "Occupation groups of people of productive age" }
--! description = { id = "Penduduk 15-64 tahun suatu wilayah menurut kelompok pekerjaan dan jenis kelamin, beserta persentasenya.", en = "People aged 15-64 of a region by occupation group and sex, with shares." }
--! audience = { id = "Pajak", en = "Taxation" }
--! notes = [
--!     { id = "Angka yang dirahasiakan (c) tidak diganti taksiran: jumlah, persentase, dan perubahan yang memerlukannya juga kosong.", en = "Withheld numbers (c) are not estimated: sums, shares and changes that need one are empty too." },
--! ]
--!
--! [[parameter]]
--! name = "region"
--! label = { id = "Wilayah", en = "Region" }
--! kind = "region"
--! levels = ["country", "province", "regency", "district"]
--! default = "first"
--!
--! [[parameter]]
--! name = "period"
--! label = { id = "Periode", en = "Period" }
--! kind = "period"
--! default = "newest"
--!
--! [[column]]
--! name = "occupation"
--! label = { id = "Kode kelompok pekerjaan", en = "Code of the occupation group" }
--! codes = "occupation"
--! [[column]]
--! name = "occupation_name"
--! label = { id = "Kelompok pekerjaan", en = "Occupation group" }
--! [[column]]
--! name = "people"
--! label = { id = "Penduduk", en = "Population" }
--! unit = { id = "orang", en = "people" }
--! status = "people_status"
--! [[column]]
--! name = "people_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "share"
--! label = { id = "Persentase", en = "Share" }
--! unit = { id = "%", en = "%" }
--! status = "share_status"
--! [[column]]
--! name = "share_status"
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

WITH cells AS (
    SELECT sex, occupation, occupation_label, occupation_label_en, occupation_level, value, status
    FROM labour
    WHERE period = $period AND region = $region AND age = 'Y15T64' AND occupation_level IN ('total', 'group')
)
SELECT
    both_sexes.occupation AS occupation,
    CASE $lang WHEN 'en' THEN both_sexes.occupation_label_en ELSE both_sexes.occupation_label END AS occupation_name,
    both_sexes.value AS people,
    both_sexes.status AS people_status,
    percent(both_sexes.value, everyone.value) AS share,
    percent_status(both_sexes.status, everyone.status, everyone.value) AS share_status,
    men.value AS men,
    men.status AS men_status,
    women.value AS women,
    women.status AS women_status
FROM cells both_sexes
JOIN cells men ON men.occupation = both_sexes.occupation AND men.sex = 'L'
JOIN cells women ON women.occupation = both_sexes.occupation AND women.sex = 'P'
JOIN cells everyone ON everyone.sex = 'T' AND everyone.occupation_level = 'total'
JOIN dim_occupation node ON node.code = both_sexes.occupation
WHERE both_sexes.sex = 'T' AND both_sexes.occupation_level = 'group'
ORDER BY node.ordinal
