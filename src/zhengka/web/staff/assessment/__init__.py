"""Assessment (残疾评定): institutions and days, the doctor's list and form, second signatures, figures."""

from zhengka.web.staff.assessment import days, figures, filling, places, seconding

urls = [*places.urls, *days.urls, *filling.urls, *seconding.urls, *figures.urls]
