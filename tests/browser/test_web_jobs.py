"""Files, jobs, own account and accounts of others in a real browser, over a stand-in."""

from __future__ import annotations

import pytest
from web_service import FakeService
from web_steps import wait_until
from web_visit import to_tab, visited

pytest.importorskip("playwright.sync_api")

pytestmark = [
    pytest.mark.browser, pytest.mark.network, pytest.mark.usefixtures("web_app")
]  # fmt: skip

POINTS = b"lon,lat\n113.1,27.8\n113.2,27.9\n"


@pytest.fixture
def service():
    with FakeService(user="张规划", roles=["planner"]) as running:
        yield running


@pytest.fixture
def page(browser, service):
    with visited(browser, service) as page:
        to_tab(page, "数据与任务")
        page.locator("#gg-part-jobs").wait_for()
        yield page


def upload(page, name, content, role="住户"):
    page.select_option("#gg-file-role", label=role)
    page.set_input_files("#gg-file", {"name": name, "mimeType": "text/csv", "buffer": content})


def test_an_empty_house_says_what_to_do(page):
    text = page.locator("#gg-sections").inner_text()
    assert all(words in text for words in ("还没有上传文件", "还没有任务", "把文件拖到这里"))


def test_a_file_is_sent_and_the_notes_of_its_reader_are_shown(page, service):
    upload(page, "住户.csv", POINTS)
    row = page.locator("#gg-files li")
    row.wait_for()
    text = row.inner_text()
    assert all(words in text for words in ("住户.csv", "3 行", "3 行没有坐标，未采用"))
    assert "left out" not in text
    assert service.files["f1"]["role"] == "households"


def test_a_file_can_be_dropped(page, service):
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(['a\\nb\\n'], 'stations.csv'));
          const drop = document.getElementById('gg-drop');
          for (const kind of ['dragover', 'drop']) {
            const facts = {dataTransfer: data, bubbles: true, cancelable: true};
            drop.dispatchEvent(new DragEvent(kind, facts));
          }
        }"""
    )
    page.locator("#gg-files >> text=stations.csv").wait_for()
    assert service.files["f1"]["size"] == 4


def test_a_file_that_is_refused_says_why_in_chinese(browser, service):
    with visited(browser, service, allows_refusals=True) as page:
        to_tab(page, "数据与任务")
        upload(page, "坏.csv", b"broken")
        fault = page.locator(".gg-sent .gg-fault")
        fault.wait_for()
        assert "文件中没有点表：请检查后再传" in fault.inner_text()
        assert "no table" not in fault.inner_text()
        assert service.files == {}


def test_a_file_is_removed_only_after_a_question(page, service):
    upload(page, "住户.csv", POINTS)
    page.click("#gg-files >> text=删除")
    page.click("dialog >> text=取消")
    assert len(service.files) == 1
    page.click("#gg-files >> text=删除")
    page.click("dialog button.gg-strong")
    page.locator("text=还没有上传文件").wait_for()
    assert service.files == {}


def test_a_division_is_ordered_followed_and_its_result_opened(page, service):
    upload(page, "住户.csv", POINTS)
    page.locator("#gg-files li").wait_for()
    page.click("#gg-job-divide summary")
    page.fill("#gg-job-divide input[name=name]", "方案二")
    page.select_option("#gg-job-divide select[name=scheme]", "huayang")
    page.select_option("#gg-job-divide select[name=households]", label="住户.csv")
    service.held.add("j1")
    page.click("#gg-job-divide >> text=开始")
    job = page.locator("#gg-jobs li")
    job.locator("text=划分网格").wait_for()
    assert service.jobs["j1"]["asked"] == {
        "kind": "divide", "name": "方案二", "scheme": "huayang", "like": None, "limit": None,
        "households": "f1", "stations": None, "seed": 0,
    }  # fmt: skip
    assert job.locator("text=打开结果").count() == 0
    service.held.clear()
    job.locator("text=完成").wait_for()
    job.locator("text=打开结果").click()
    page.locator("#gg-fills").wait_for()


def test_what_is_typed_stays_while_a_job_reports_progress(page, service):
    page.click("#gg-job-circles summary")
    page.click("#gg-job-circles >> text=开始")
    page.click("#gg-job-divide summary")
    page.locator("#gg-job-divide input[name=name]").press_sequentially("很长的方案名称", delay=60)
    page.locator("#gg-jobs >> text=完成").wait_for()
    assert page.input_value("#gg-job-divide input[name=name]") == "很长的方案名称"
    assert service.jobs["j1"]["asked"] == {"kind": "circles", "stations": None, "minutes": [5, 15]}


def test_minutes_that_are_none_are_not_ordered(page, service):
    page.click("#gg-job-circles summary")
    page.fill("#gg-job-circles input[name=minutes]", "十五")
    page.click("#gg-job-circles >> text=开始")
    page.locator("#gg-job-circles .gg-fault >> text=请写 1 到 60").wait_for()
    assert service.jobs == {}


def test_a_job_is_cancelled(page, service):
    service.held.add("j1")
    page.click("#gg-job-circles summary")
    page.click("#gg-job-circles >> text=开始")
    page.click("#gg-jobs >> text=取消")
    page.locator("#gg-jobs >> text=已取消").wait_for()
    assert page.locator("#gg-jobs >> text=打开结果").count() == 0


def test_a_job_is_asked_for_where_its_events_do_not_come_through(browser, service):
    service.broken.add("/api/v1/jobs/j1/events")
    with visited(browser, service, allows_refusals=True) as page:
        to_tab(page, "数据与任务")
        page.click("#gg-job-circles summary")
        page.click("#gg-job-circles >> text=开始")
        page.locator("#gg-jobs >> text=排队").wait_for()
        service.jobs["j1"] |= {"state": "failed", "state_zh": "失败", "is_over": True,
                               "error": "no walking network here (此处没有步行路网)"}  # fmt: skip
        page.locator("#gg-jobs .gg-fault >> text=此处没有步行路网").wait_for()


def test_older_jobs_are_shown_page_by_page(browser, service):
    for number in range(1, 36):
        service.start_job(body={"kind": "circles"})
        service.jobs[f"j{number}"] |= {"state": "done", "state_zh": "完成", "is_over": True}
    with visited(browser, service) as page:
        to_tab(page, "数据与任务")
        rows = page.locator("#gg-jobs li")
        rows.first.wait_for()
        assert rows.count() == 30
        page.click("#gg-jobs-more")
        page.locator("[data-job=j1]").wait_for()
        shown = [one.get_attribute("data-job") for one in rows.all()]
        assert shown == [f"j{number}" for number in range(35, 0, -1)]
        assert page.locator("#gg-jobs-more").count() == 0


def test_a_reviewer_brings_no_data(browser, service):
    service.roles = ["reviewer"]
    with visited(browser, service) as page:
        to_tab(page, "数据与任务")
        page.locator("#gg-part-jobs").wait_for()
        assert page.locator("#gg-drop").count() == 0
        assert page.locator("#gg-job-divide").count() == 0


def in_menu(page, name):
    page.click("#gg-account summary")
    page.click(f"#gg-account ul >> text={name}")


def test_the_own_password_is_changed_once_both_new_ones_agree(browser, service):
    with visited(browser, service, allows_refusals=True) as page:
        in_menu(page, "修改密码")
        dialog = page.locator("#gg-password-dialog")
        for name, value in (("old", "wrong"), ("new", "a new long one"), ("again", "another one")):
            dialog.locator(f"input[name={name}]").fill(value)
        dialog.locator("text=保存").click()
        dialog.locator("text=两次输入的新密码不一样").wait_for()
        dialog.locator("input[name=again]").fill("a new long one")
        dialog.locator("text=保存").click()
        dialog.locator("text=现用密码不对").wait_for()
        dialog.locator("input[name=old]").fill("right")
        dialog.locator("text=保存").click()
        page.locator("#gg-notice >> text=密码已修改").wait_for()
        assert service.passwords == ["a new long one"]


def test_a_key_is_told_once_and_can_be_revoked(page, service):
    in_menu(page, "我的密钥")
    dialog = page.locator("#gg-keys-dialog")
    dialog.locator("text=还没有密钥").wait_for()
    dialog.locator("input[name=label]").fill("夜间统计")
    dialog.locator("text=新建密钥").click()
    assert dialog.locator("code").inner_text() == "gg_secret_key"
    dialog.locator("text=作废").click()
    dialog.locator("text=已作废").wait_for()
    assert service.keys["k1"]["revoked_at"]
    dialog.locator("button >> text=关闭").click()
    in_menu(page, "我的密钥")
    page.locator("#gg-keys >> text=夜间统计").wait_for()
    assert page.locator("code").count() == 0


@pytest.fixture
def keeper(browser, service):
    service.roles = ["admin"]
    with visited(browser, service, allows_refusals=True) as page:
        yield page


def test_an_admin_adds_accounts_and_changes_what_they_may(keeper, service):
    in_menu(keeper, "账号管理")
    dialog = keeper.locator("#gg-accounts-dialog")
    dialog.locator("text=张规划").wait_for()
    dialog.locator("#gg-account-new summary").click()
    for name, value in (("name", "zhang"), ("shown", "李四"), ("password", "long enough 1")):
        dialog.locator(f"#gg-account-new input[name={name}]").fill(value)
    add = dialog.locator("#gg-account-new form > button")
    add.click()
    dialog.locator("text=登录名已被占用").wait_for()
    dialog.locator("#gg-account-new input[name=name]").fill("lisi")
    dialog.locator("#gg-account-new .gg-grant input").fill("430202")
    add.click()
    row = dialog.locator("tr[data-account=lisi]")
    row.locator("text=规划员 · 430202").wait_for()
    row.locator("text=编辑").click()
    row.locator(".gg-grant select").select_option("reviewer")
    row.locator("text=保存").click()
    row.locator("text=审核员 · 430202").wait_for()
    assert service.accounts["a3"]["grants"] == [["reviewer", "430202"]]
    row.locator("text=停用").click()
    row.locator("text=启用").wait_for()
    assert service.accounts["a3"]["is_active"] is False
    row.locator("text=重设密码").click()
    row.locator("input[name=new]").fill("a quite new one")
    row.locator("text=保存").click()
    wait_until(keeper, lambda: service.passwords == ["a quite new one"])


def test_the_log_is_read_a_page_at_a_time_and_says_that_it_is_whole(keeper):
    in_menu(keeper, "操作日志")
    dialog = keeper.locator("#gg-audit-dialog")
    dialog.locator("text=记录链完整").wait_for()
    rows = dialog.locator("tbody tr")
    assert rows.count() == 50
    for count in (100, 120):
        dialog.locator("#gg-audit-more").click()
        wait_until(keeper, lambda wanted=count: rows.count() == wanted)
    assert dialog.locator("#gg-audit-more").is_hidden()


def test_a_planner_is_offered_no_accounts_and_no_log(page):
    page.click("#gg-account summary")
    assert page.locator("#gg-account li").all_inner_texts() == ["修改密码", "我的密钥", "退出"]


def test_who_may_sign_in_elsewhere_is_led_there(browser):
    with (
        FakeService(user=None, oidc={"title": "政务统一认证"}) as service,
        visited(browser, service) as page,
    ):
        page.click("#gg-login")
        link = page.locator("#gg-oidc")
        assert link.inner_text() == "用政务统一认证登录"
        assert link.get_attribute("href") == "/api/v1/login/oidc?next=/app/"
