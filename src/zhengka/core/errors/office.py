"""Problems with cases and assessments."""

from zhengka.core.errors.problem import Problem

PROBLEMS: dict[str, Problem] = {
    # -- cases ---------------------------------------------------------------------------------------------------------
    "office-wrong": Problem(
        403, "Another office takes this step", "这一步由其他单位办理",
        "Leave it to the office that the page names.",
        "请由页面所示单位办理。"),
    "office-above": Problem(
        403, "The office below takes this step, and yours a later one",
        "这一步由下级单位办理，本单位办理其后的步骤",
        "Leave it to the office that the page names: two offices look at this case, and yours looks second.",
        "请由页面所示单位办理：该事项须由两级单位分别把关，本单位在后把关。"),
    "officer-unfit": Problem(
        422, "This officer may not take the step", "该工作人员不能办理这一步",
        "Choose one of those whom the page names.",
        "请从页面所列人员中选择。"),
    "street-wrong": Problem(
        422, "This is no street of the unit", "该发证单位没有这一街道（乡镇）代码",
        "Use the three digits, 001 to 999, that GB/T 10114 gives the street or township in its county.",
        "请使用 GB/T 10114 中该街道（乡镇）的三位代码（001 至 999）。"),
    "kind-not-offered": Problem(
        409, "No policy lays down this kind of case here", "本地区没有规定这一办理事项",
        "Ask the province to put it into the area's case policy.",
        "请由上级在本地区办理规则中规定。"),
    "elsewhere-unfit": Problem(
        409, "No such case can be received here for a person of this name and number",
        "以此姓名和身份证号码不能在此受理该事项",
        "Compare both with the ID card. Nobody may have the number, the certificate may be too new, run out or ended, "
        "or a case open already: the office of the household register knows.",
        "请与身份证核对。可能查无此人、未到换领时间、证件已过期或注销、已有同类事项在办，请向户籍地残联了解。"),
    "case-changed": Problem(
        409, "The case changed meanwhile", "这一事项刚才有了变动",
        "Look at it again, then decide.",
        "请重新查看后再办理。"),
    "case-open": Problem(
        409, "The person has an open case of this kind", "该人员已有同类事项正在办理",
        "Go on with the open case.",
        "请继续办理已有事项。"),
    "reason-unknown": Problem(
        422, "This is no reason for this kind of case", "该事项没有这种事由",
        "Choose one of the reasons that the form offers.",
        "请从表单所列事由中选择。"),
    "id-number-wrong": Problem(
        422, "The ID number is not right", "身份证号码有误",
        "Compare it with the card, digit by digit.",
        "请与身份证逐位核对。"),
    "cert-number-wrong": Problem(
        422, "The certificate number is not right, or another person's", "残疾人证号有误，或不是本人的证号",
        "Compare it with the certificate, digit by digit.",
        "请与残疾人证逐位核对。"),
    "birth-after-application": Problem(
        422, "The birth date lies behind the application", "出生日期晚于申请日期",
        "Check the ID number and the date of the application.",
        "请核对身份证号码和申请日期。"),
    "guardian-missing": Problem(
        422, "A guardian must be named", "须填写监护人",
        "For a minor, and for an intellectual or mental disability, add the guardian and the proof.",
        "未成年人以及智力、精神类申请须填写监护人并提交证明。"),
    "guardian-unproved": Problem(
        409, "The guardian is not proved", "没有监护人证明",
        "The assessment found an intellectual or mental disability, alone or as a part of a multiple one: add the "
        "proof of the guardian to the case.",
        "评定结论含智力或精神残疾（多重残疾亦同）：请先补交监护人证明。"),
    "guardian-id-wrong": Problem(
        422, "The guardian's ID number is missing or not right", "监护人身份证号码缺失或有误",
        "Compare it with the guardian's card, digit by digit.",
        "请与监护人身份证逐位核对。"),
    "guardian-is-minor": Problem(
        422, "The guardian is not yet 18", "监护人未满十八周岁",
        "Name a guardian who is of age.",
        "请填写成年监护人。"),
    "guardian-is-applicant": Problem(
        422, "The guardian is the applicant", "监护人与申请人为同一人",
        "Enter the guardian's own ID number.",
        "请填写监护人本人的身份证号码。"),
    "category-barred": Problem(
        409, "This category was cancelled less than a year ago", "该类别注销未满一年",
        "Apply again from the day that the page names; a wrong cancellation can be restored.",
        "请在页面所示日期后重新申请；注销有误的可申请恢复。"),
    "renewal-too-early": Problem(
        409, "It is too early to renew the certificate", "未到换领时间",
        "Renew it from the day that the page names.",
        "请自页面所示日期起办理换领。"),
    "certificate-expired": Problem(
        409, "The certificate has run out", "残疾人证已过有效期",
        "Renew it; the new card then has ten years.",
        "请办理换领，新证有效期十年。"),
    "term-impossible": Problem(
        422, "The days of the certificate cannot be right", "残疾人证有效期有误",
        "It was issued after its holder's birth, before it runs out, and not after today: compare both days with the "
        "certificate.",
        "签发日期不应早于持证人出生日期，应早于有效期截止日，且不晚于今天，请与残疾人证核对。"),
    "brought-expired": Problem(
        409, "The certificate that was brought has run out", "所持残疾人证已过有效期",
        "Open a first application here instead.",
        "请在本地办理申领。"),
    "card-lost": Problem(
        409, "The card was reported lost", "该卡已挂失",
        "Open a replacement after a loss, which changes the number; or report the card found first.",
        "请办理补办（证号加后缀）；卡已找到的，请先解挂。"),
    "correction-empty": Problem(
        422, "Nothing is to be corrected", "没有需要更正的内容",
        "Enter the right name or the right ID number.",
        "请填写正确的姓名或身份证号码。"),
    "move-in-future": Problem(
        422, "The day of the move lies in the future", "户口迁移日期晚于今天",
        "Enter the day in the household register.",
        "请填写户口簿上的迁移日期。"),
    "move-before-issue": Problem(
        422, "The person had no certificate on the day of the move", "户口迁移日期早于残疾人证的发证日期",
        "The clock begins with the certificate: enter its day of issue, where the register moved before.",
        "迁移期限从发证之日起算；户口在此之前迁移的，请填写发证日期。"),
    "departure-missing": Problem(
        409, "Another office of the platform holds the certificate", "该残疾人证在本平台其他单位名下，尚未迁出",
        "Ask the office that issued it to note the move and to approve it; then open the arrival here. Name and number "
        "must be those of the certificate.",
        "请原发证单位登记并批准迁出，再在本地办理迁入；姓名和证号应与残疾人证一致。"),
    "move-nowhere": Problem(
        422, "The household register moved within the same office", "户口未迁出本单位辖区",
        "Change the address in the record; no move is needed.",
        "请更改登记地址，无须办理迁移。"),
    "decided-before-move": Problem(
        409, "The old office has a case open that is decided before the move", "原单位有须在迁移之前办结的事项",
        "A cancellation, a freeze or a dispute is under way there. The old office decides it first; the move then goes "
        "on by itself.",
        "原单位正在办理注销、冻结或复核。请原单位先办结，迁移随后自动继续。"),
    "move-out-of-reach": Problem(
        422, "The new office is not where this kind of move leads", "迁入单位与迁移种类不符",
        "Within the city, within the province, to another province: open the kind that fits the new office.",
        "请按迁入单位选择市内、省内或跨省迁出。"),
    "dispute-of-nothing": Problem(
        409, "There is no decision that could be disputed", "没有可以提出异议的决定",
        "Name the case whose assessment is disputed.",
        "请注明对哪一件评定结论有异议。"),
    "dispute-final": Problem(
        409, "This decision was disputed already, or is final", "该决定已经复核，或为最终结论",
        "Dispute the city's result before the province within its time limit; the province's result is final.",
        "对市级复核结果有异议的，可在期限内向省级提出；省级结论为最终结论。"),
    "dispute-too-late": Problem(
        409, "The working days for a dispute have passed", "已超过异议期限",
        "Apply for a change of category or grade instead.",
        "可以申请类别等级变更。"),
    "papers-missing": Problem(
        409, "Papers that this case needs are missing", "申请材料不齐",
        "Take them in, return the application, or say why it is accepted without them.",
        "请补齐材料、退回补正，或注明容缺受理的理由。"),
    "papers-first": Problem(
        409, "Papers that cannot follow later are missing", "缺少不可后补的材料",
        "Take in first those that the case's page names, or ask for what is missing.",
        "请先收齐页面所列的必备材料，或办理补正告知。"),
    "finding-impossible": Problem(
        422, "Category, grade and components do not fit together", "类别、等级与多重残疾分项不符",
        "A multiple disability has two components or more and the grade of the most severe.",
        "多重残疾须有两个以上分项，等级取最重者。"),
    "standard-not-met": Problem(
        409, "The assessment found no disability of the standard", "评定结论为未达到残疾标准",
        "End the case as not met, or have it assessed again.",
        "请按不予办理办结，或退回重评。"),
    "standard-met": Problem(
        409, "The assessment found that the standard is still met", "评定结论为仍达到残疾标准",
        "Refuse the cancellation, or change category and grade.",
        "请不予注销，或办理类别等级变更。"),
    "nothing-changed": Problem(
        409, "The assessment found the same category and grade", "评定结论与原类别等级相同",
        "Refuse the change; the certificate stays as it is.",
        "请不予变更，原证继续有效。"),
    "person-registered": Problem(
        409, "The registry has this person already", "该人员已在册",
        "Open the person's record and go on from there.",
        "请在该人员档案中办理。"),
    "record-closed": Problem(
        409, "The registry has this person as dead", "该人员档案已因死亡注销",
        "Compare the ID number with the card; a cancellation in error is restored first.",
        "请与身份证核对；误报死亡注销的，请先办理恢复。"),
    "notice-running": Problem(
        409, "The public notice still runs", "公示期未满",
        "Wait until its last day has passed; an objection until then must be heard.",
        "请待公示期满后办理；期间有异议的须先处理。"),
    # -- assessment ----------------------------------------------------------------------------------------------------
    "form-missing": Problem(
        409, "There is no assessment form for this category here", "本地区没有该类别的评定表",
        "Ask the operator to add the form to the data files.",
        "请由运维人员在数据文件中补充评定表。"),
    "born-later": Problem(
        422, "The birth date lies behind the day of the assessment", "出生日期晚于评定日期",
        "Check the birth date and the day.",
        "请核对出生日期和评定日期。"),
    "form-incomplete": Problem(
        422, "The assessment form is not complete", "评定表填写不完整",
        "Fill in every field that is not marked as optional.",
        "请填写所有必填项。"),
    "form-value": Problem(
        422, "A value in the assessment form cannot be right", "评定表中有填写不正确的项目",
        "Look at the field that the page names: its range, its decimals, its reason.",
        "请核对页面所示项目的范围、小数位数或理由。"),
    "form-day": Problem(
        422, "A day in the assessment form lies in the future, or before the person was born",
        "评定表中的日期晚于今天，或早于出生日期",
        "Look at the day that the page names.",
        "请核对页面所示的日期。"),
    "form-contradicts": Problem(
        422, "The chosen criteria do not fit how independent daily life is", "所选情形与日常生活活动能力不符",
        "Choose criteria of the grade whose heading holds, or another heading.",
        "请选择与日常生活活动能力相应等级的情形。"),
    "components-missing": Problem(
        422, "A multiple disability has at least two different parts", "多重残疾须有两个以上不同类别",
        "Assess two or more categories, each once.",
        "请对两个以上类别分别评定。"),
    "institution-known": Problem(
        409, "There is an institution of this name in this area", "本地区已有同名评定机构",
        "Open its record.",
        "请打开已有记录。"),
    "institution-not-valid": Problem(
        409, "The institution is not designated for this day or these categories", "该机构在该日或该类别无评定资格",
        "Choose another day, other categories, or another institution.",
        "请选择其他日期、类别或机构。"),
    "assessor-unfit": Problem(
        409, "This account cannot be licensed here", "该账号不能在此机构取得评定资格",
        "It must be an active assessor's account of the institution's area or of one above.",
        "须为启用的评定医生账号，且其辖区包含该机构所在地区。"),
    "licence-known": Problem(
        409, "This doctor has a licence at this institution", "该医生在此机构已有评定资格",
        "Revoke it first if categories or dates have changed.",
        "类别或期限有变化的，请先取消原资格。"),
    "licence-missing": Problem(
        403, "You have no licence for this category here and today", "您今日在该机构无此类别的评定资格",
        "Leave it to a licensed colleague.",
        "请由具备资格的医生评定。"),
    "session-past": Problem(
        409, "The day of assessments is over or not open", "该评定日已过或未开放",
        "Choose another day.",
        "请选择其他评定日。"),
    "session-full": Problem(
        409, "The day of assessments has no free place", "该评定日已约满",
        "Choose another day.",
        "请选择其他评定日。"),
    "session-elsewhere": Problem(
        409, "The day of assessments does not serve this office or this category", "该评定日不受理本地区或该类别",
        "Choose a day from the list of free ones.",
        "请从可预约的评定日中选择。"),
    "session-booked": Problem(
        409, "Somebody has an appointment on this day", "该评定日已有预约",
        "Give each of them another day first.",
        "请先为已预约人员改约。"),
    "session-booked-so": Problem(
        409, "The appointment is on this day already", "预约已是该评定日",
        "Choose another day.",
        "请选择其他评定日。"),
    "session-not-begun": Problem(
        409, "The day of assessments has not come", "评定日未到",
        "Wait for the day, or book an earlier one.",
        "请在评定日当天办理，或改约较早日期。"),
    "appointment-open": Problem(
        409, "The case has an appointment", "该事项已有预约",
        "Book another day, call it off, or note that the person did not come, on the appointment's page.",
        "请在预约页面改约、取消预约，或记为未到评。"),
    "assessor-is-applicant": Problem(
        409, "Nobody assesses themselves", "不得为本人评定",
        "Leave it to another doctor.",
        "请由其他医生评定。"),
    "assessor-conflict": Problem(
        409, "The doctor is the person's guardian, or a conflict of interest was declared",
        "评定医生是其监护人或者有利害关系，应当回避",
        "Leave it to another doctor.",
        "请由其他医生评定。"),
    "assessor-again": Problem(
        409, "In a dispute nobody assesses the same person again", "异议复评不得由原评定医生参加",
        "Leave it to a doctor who has not assessed this person.",
        "请由未参加过该人员评定的医生评定。"),
    "conflict-known": Problem(
        409, "This conflict was declared before", "该回避情形已申报",
        "Nothing more is to be done.",
        "无须重复申报。"),
}
