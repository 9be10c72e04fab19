--! title = { id = "Susunan umur penduduk", en = "Ages of the people" }
--! description = { id = "Laki-laki dan perempuan menurut kelompok umur lima tahunan di suatu wilayah, beserta rasio jenis kelamin.", en = "Men and women by five-year age group in a region, with the sex ratio." }
--! audience = { id = "Kesehatan", en = "Health" }
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
--! [[parameter]]
--! name = "period"
--! label = { id = "Periode", en = "Period" }
--! kind = "period"
--! default = "newest"
--!
--! [[column]]
--! name = "age"
--! label = { id = "Kode umur", en = "Age code" }
--! codes = "age"
--! [[column]]
--! name = "age_name"
--! label = { id = "Kelompok umur", en = "Age group" }
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
--! name = "sex_ratio"
--! label = { id = "Rasio jenis kelamin", en = "Sex ratio" }
--! unit = { id = "laki-laki per 100 perempuan", en = "men per 100 women" }
--! status = "sex_ratio_status"
--! [[column]]
--! name = "sex_ratio_status"
--! label = { id = "Keterangan", en = "Status" }

SELECT
    men.age AS age,
    CASE $lang WHEN 'en' THEN men.age_label_en ELSE men.age_label END AS age_name,
    men.value AS men,
    men.status AS men_status,
    women.value AS women,
    women.status AS women_status,
    percent(men.value, women.value) AS sex_ratio,
    percent_status(men.status, women.status, women.value) AS sex_ratio_status
FROM population men
JOIN population women ON women.age = men.age AND women.period = $period AND women.region = $region AND women.sex = 'P'
JOIN dim_age ON dim_age.code = men.age
WHERE men.period = $period AND men.region = $region AND men.sex = 'L' AND men.age_level = 'five-year'
ORDER BY dim_age.ordinal
