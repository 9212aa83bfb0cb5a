"""The registrar's rules: terms, replacing, order, removal, bounds."""

import pytest

from callserver.sip.protocol import bindings
from callserver.sip.protocol.bindings import Bindings, Limits, Source, apply_register, expire
from callserver.sip.protocol.message import Request, SipError, build_request

SECOND = 10**9
NOW = 1_000 * SECOND
HERE = Source("192.0.2.7", 5070, "UDP")


def register(*contacts: str, expires: str = "", call_id: str = "r1", cseq: int = 1, device: str = "") -> Request:
    lines = [("Via", "SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1"), ("From", "<sip:op1@h.test>;tag=f"), ("To", "<sip:op1@h.test>")]
    lines += [("Call-ID", call_id), ("CSeq", f"{cseq} REGISTER")] + [("Contact", contact) for contact in contacts]
    lines += [("Expires", expires)] * bool(expires) + [("User-Agent", device)] * bool(device)
    return build_request("REGISTER", "sip:h.test", lines)


def apply(had: Bindings, request: Request, now_ns: int = NOW, source: Source = HERE) -> tuple[Bindings, list[str]]:
    after, headers = apply_register(had, request, now_ns, source)
    assert all(name == "Contact" for name, _ in headers)
    assert after == bindings.from_bytes(bindings.to_bytes(after))
    return after, [value for _, value in headers]


def status(had: Bindings, request: Request) -> int:
    with pytest.raises(SipError) as caught:
        apply_register(had, request, NOW, HERE)
    assert caught.value.request is request or caught.value.status == 400
    return caught.value.status


def test_a_contact_is_bound_with_where_it_came_from() -> None:
    (binding,), contacts = apply((), register("<sip:op1@10.0.0.1:5070;ob>;expires=120", device="baresip"))
    assert (binding.contact, binding.source, binding.expires_ns) == ("sip:op1@10.0.0.1:5070;ob", HERE, NOW + 120 * SECOND)
    assert (binding.call_id, binding.cseq, binding.user_agent) == ("r1", 1, "baresip")
    assert contacts == ["<sip:op1@10.0.0.1:5070;ob>;expires=120"]


@pytest.mark.parametrize(
    ("contact", "expires", "granted"),
    [
        ("<sip:a@b>", "", 3600), ("<sip:a@b>", "60", 60), ("<sip:a@b>;expires=90", "60", 90), ("<sip:a@b>", "999999", 3600),
        ("<sip:a@b>;expires=4294967295", "", 3600), ("<sip:a@b>", "30", 30),
    ],
)  # fmt: skip
def test_terms_granted(contact: str, expires: str, granted: int) -> None:
    (binding,), _ = apply((), register(contact, expires=expires))
    assert NOW + granted * SECOND == binding.expires_ns


def test_too_short_a_term_is_423_with_the_shortest() -> None:
    with pytest.raises(SipError) as caught:
        apply_register((), register("<sip:a@b>", expires="29"), NOW, HERE)
    assert (caught.value.status, caught.value.headers) == (423, (("Min-Expires", "30"),))


def test_a_query_lists_and_changes_nothing() -> None:
    had, _ = apply((), register("<sip:a@b>", expires="100"))
    after, contacts = apply(had, register(call_id="r2"), NOW + SECOND // 2)
    assert had == after
    assert contacts == ["<sip:a@b>;expires=100"]


def test_a_refresh_replaces_by_meaning_of_the_uri_and_moves_the_source() -> None:
    had, _ = apply((), register("<sip:op1@Phone.test>", expires="60"))
    elsewhere = Source("192.0.2.8", 1, "TCP", 7)
    (binding,), _ = apply(had, register("<sip:op1@phone.TEST>", expires="60", cseq=2), NOW + SECOND, elsewhere)
    assert (elsewhere, NOW + 61 * SECOND, 2) == (binding.source, binding.expires_ns, binding.cseq)


def test_the_same_instance_from_another_port_replaces_its_old_self() -> None:
    instance = ';+sip.instance="<urn:uuid:1>"'
    had, _ = apply((), register(f"<sip:op1@h:1111>{instance}", "<sip:op1@h:3333>"))
    after, _ = apply(had, register(f"<sip:op1@h:2222>{instance}", call_id="r2"))
    assert [binding.contact for binding in after] == ["sip:op1@h:3333", "sip:op1@h:2222"]


def test_order_is_kept_within_a_call_id_only() -> None:
    had, _ = apply((), register("<sip:a@b>", cseq=5))
    assert status(had, register("<sip:a@b>", cseq=5)) == 500
    assert status(had, register("<sip:a@b>", cseq=4, expires="0")) == 500
    assert status(had, register("*", cseq=4, expires="0")) == 500
    assert apply(had, register("<sip:a@b>", cseq=6))[0][0].cseq == 6
    assert apply(had, register("<sip:a@b>", cseq=1, call_id="new"))[0][0].cseq == 1


def test_a_failed_register_binds_nothing_of_it() -> None:
    had, _ = apply((), register("<sip:a@b>", cseq=5))
    assert status(had, register("<sip:new@b>", "<sip:a@b>", cseq=5)) == 500


def test_removal_by_zero_and_by_star() -> None:
    had, _ = apply((), register("<sip:a@b>", "<sip:c@d>"))
    after, contacts = apply(had, register("<sip:a@b>;expires=0", cseq=2))
    assert [binding.contact for binding in after] == ["sip:c@d"] and len(contacts) == 1
    assert apply(had, register("*", expires="0", cseq=2)) == ((), [])
    assert status(had, register("*", expires="60", cseq=2)) == 400
    assert status(had, register("*", cseq=2)) == 400
    assert apply((), register("<sip:a@b>", expires="0")) == ((), [])


def test_past_the_limit_the_one_that_ends_first_goes() -> None:
    had: Bindings = ()
    for number, term in enumerate((300, 60, 300, 300, 300)):
        had, _ = apply(had, register(f"<sip:a@h:{2000 + number}>", expires=str(term), call_id=f"r{number}"))
    after, contacts = apply(had, register("<sip:a@h:3000>", expires="300", call_id="r9"))
    assert [int(binding.contact[-4:]) for binding in after] == [2000, 2002, 2003, 2004, 3000]
    assert len(contacts) == 5
    assert status((), register(*(f"<sip:a@h:{2000 + number}>" for number in range(6)))) == 403


def test_one_contact_twice_in_a_request_is_bound_once() -> None:
    after, _ = apply((), register("<sip:a@b>;expires=60", "<sip:a@b>;expires=90"))
    assert [binding.expires_ns for binding in after] == [NOW + 90 * SECOND]


def test_contacts_that_cannot_be_called_are_400() -> None:
    for contact in ("<tel:1>", "<mailto:a@b.test>", "<sip:a@b?Route=%3Csip:x%3E>"):
        assert status((), register(contact)) == 400


def test_time_takes_bindings_away() -> None:
    had, _ = apply((), register("<sip:a@b>;expires=60", "<sip:c@d>;expires=90"))
    assert bindings.next_expiry_ns(had) == NOW + 60 * SECOND
    assert len(expire(had, NOW + 60 * SECOND - 1)) == 2
    assert [binding.contact for binding in expire(had, NOW + 60 * SECOND)] == ["sip:c@d"]
    assert bindings.next_expiry_ns(()) is None
    after, _ = apply(had, register(call_id="q"), NOW + 60 * SECOND)
    assert len(after) == 1


def test_an_expired_binding_keeps_nobody_from_registering_in_any_order() -> None:
    had, _ = apply((), register("<sip:a@b>", expires="60", cseq=9))
    after, _ = apply(had, register("<sip:a@b>", expires="60", cseq=1), NOW + 61 * SECOND)
    assert after[0].cseq == 1


def test_limits_are_the_callers() -> None:
    limits = Limits(min_s=10, max_s=20, default_s=15, contacts=1)
    ((binding,), _) = apply_register((), register("<sip:a@b>"), NOW, HERE, limits)
    assert binding.expires_ns == NOW + 15 * SECOND


def test_stored_rubbish_is_a_value_error_and_nothing_is_nothing() -> None:
    assert bindings.from_bytes(b"") == ()
    with pytest.raises(ValueError):
        bindings.from_bytes(b"{")
