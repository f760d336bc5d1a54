"""The phone of a telecom customer in τ²-bench: what its owner can see and set on it.

The benchmark's own file of the phone's first state is not always there: a phone begins in order, in good
reception, and a task then breaks what it says. Network, speed and messages follow the benchmark's rules.
"""

from __future__ import annotations

from typing import Any

State = dict[str, Any]
SIGNALS = {"5g": "excellent", "4g": "good", "3g": "fair", "2g": "poor"}
MODES = {"4g_5g_preferred": "5g", "4g_only": "4g", "3g_only": "3g", "2g_only": "2g"}
"""Network mode → the technology that it connects to."""
SPEEDS_MBPS = {"2g": (0.1, 0.4), "3g": (1.0, 5.0), "4g": (10.0, 100.0), "5g": (50.0, 500.0)}
"""Technology → slowest and fastest."""
SIGNAL_FACTORS = {"poor": 0.2, "fair": 0.5, "good": 0.8, "excellent": 1.0}
SLOW_VPN, SAVER = 0.1, 0.2
"""Factors on the speed."""
SPEED_WORDS = ((1.0, "very poor"), (5.0, "poor"), (25.0, "fair"), (100.0, "good"))
"""Below so many Mbit/s it is called that; above all "excellent"."""


def fresh_phone() -> State:
    """Return a phone that works."""
    return {
        "name": "", "phone_number": "", "abroad": False,
        "line_active": True, "roaming_allowed": False, "usage_exceeded": False, "payment": None,
        "airplane": False, "sim_missing": False, "sim": "active", "data": True, "roaming": False,
        "saver": False, "mode": "4g_5g_preferred", "vpn": None, "wifi_calling": False, "mms_over_wifi": False,
        "apn_broken": False, "mmsc": True, "apn_reset": False,
        "connection": "connected", "technology": "5g", "signal": "excellent",
        "apps": {
            "messaging": {"sms": True, "storage": True, "phone": True, "network": True},
            "browser": {"network": True, "storage": True},
        },
    }  # fmt: skip


class Phone:
    """A phone.

    Args:
        state: as `fresh_phone` returns it; is changed.
    """

    def __init__(self, state: State) -> None:
        self.state = state

    # What tasks begin with

    def set_user_info(self, name: str, phone_number: str) -> None:
        """Give it an owner."""
        self.state |= {"name": name, "phone_number": phone_number}

    def set_user_location(self, abroad: bool) -> None:
        """Take it abroad, or home."""
        self.state["abroad"] = abroad

    def turn_data_off(self) -> None:
        """Turn mobile data off."""
        self._set("data", False)

    def turn_data_on(self) -> None:
        """Turn mobile data on."""
        self._set("data", True)

    def turn_roaming_off(self) -> None:
        """Turn roaming off."""
        self._set("roaming", False)

    def turn_roaming_on(self) -> None:
        """Turn roaming on."""
        self._set("roaming", True)

    def turn_airplane_mode_on(self) -> None:
        """Turn airplane mode on."""
        self._airplane(True)

    def turn_airplane_mode_off(self) -> None:
        """Turn airplane mode off."""
        self._airplane(False)

    def turn_data_saver_mode_on(self) -> None:
        """Save data."""
        self.state["saver"] = True

    def turn_data_saver_mode_off(self) -> None:
        """No longer save data."""
        self.state["saver"] = False

    def unseat_sim_card(self) -> None:
        """Loosen the SIM card."""
        self._set("sim_missing", True)

    def lock_sim_card(self, mode: str) -> None:
        """Lock the SIM card by "pin" or "puk"."""
        self._set("sim", f"locked_{mode}")

    def break_apn_settings(self) -> None:
        """Break the access point."""
        self._set("apn_broken", True)

    def break_apn_mms_setting(self) -> None:
        """Break the access point of picture messages."""
        self.state["mmsc"] = False

    def break_vpn(self) -> None:
        """Connect to a slow VPN."""
        self.state["vpn"] = "poor"

    def set_wifi_calling(self, enabled: bool, mms_over_wifi: bool | None = None) -> None:
        """Turn calls over Wi-Fi on or off, and picture messages with them."""
        self.state["wifi_calling"] = enabled
        if mms_over_wifi is not None:
            self.state["mms_over_wifi"] = mms_over_wifi

    def remove_app_permission(self, app_name: str, permission: str) -> None:
        """Take a permission from an app."""
        self.state["apps"][app_name][permission.lower()] = False

    # What the owner does

    def toggle_airplane_mode(self) -> None:
        """Switch airplane mode."""
        self._airplane(not self.state["airplane"])

    def toggle_data(self) -> None:
        """Switch mobile data."""
        self._set("data", not self.state["data"])

    def toggle_roaming(self) -> None:
        """Switch data roaming."""
        self._set("roaming", not self.state["roaming"])

    def toggle_data_saver_mode(self) -> None:
        """Switch the data saver."""
        self.state["saver"] = not self.state["saver"]

    def toggle_wifi_calling(self) -> None:
        """Switch calls over Wi-Fi."""
        self.state["wifi_calling"] = not self.state["wifi_calling"]

    def set_network_mode_preference(self, mode: str) -> None:
        """Choose the networks that it connects to."""
        if mode not in MODES:
            raise ValueError(f"no network mode is called {mode!r}")
        self._set("mode", mode)

    def reseat_sim_card(self) -> None:
        """Take the SIM card out and put it in again."""
        self._set("sim_missing", False)

    def reset_apn_settings(self) -> None:
        """Reset the access point, at the next restart."""
        self.state["apn_reset"] = True
        self.simulate_network_search()

    def reboot_device(self) -> None:
        """Restart it."""
        if self.state["apn_reset"]:
            self.state |= {"apn_broken": False, "mmsc": True, "apn_reset": False}
        self.simulate_network_search()

    def connect_vpn(self) -> None:
        """Connect to the usual VPN."""
        self.state["vpn"] = self.state["vpn"] or "excellent"

    def disconnect_vpn(self) -> None:
        """Leave the VPN."""
        self.state["vpn"] = None

    def grant_app_permission(self, app_name: str, permission: str) -> None:
        """Give an app a permission."""
        app = self.state["apps"].get(app_name)
        if app is None or permission.lower() not in app:
            raise ValueError(f"{app_name} has no permission {permission}")
        app[permission.lower()] = True

    def make_payment(self) -> None:
        """Pay what the company asks for."""
        if self.state["payment"] is None:
            raise ValueError("there is no payment request")
        self.state["payment"]["paid"] = True

    # What the owner sees

    @property
    def data_works(self) -> bool:
        """Whether mobile data flows."""
        one = self.state
        roams = not one["abroad"] or one["roaming"] and one["roaming_allowed"]
        there = one["connection"] == "connected" and one["signal"] != "none" and not one["airplane"]
        return bool(there and roams and one["data"] and not one["usage_exceeded"])

    @property
    def speed(self) -> tuple[float, str]:
        """Mbit/s of mobile data, and the word for it; (0, "no connection") where none flows."""
        one = self.state
        if not self.data_works:
            return 0.0, "no connection"
        slow, fast = SPEEDS_MBPS[one["technology"]]
        factor = SIGNAL_FACTORS[one["signal"]] * (SLOW_VPN if one["vpn"] == "poor" else 1.0)
        mbps = round((slow + fast) / 2 * factor * (SAVER if one["saver"] else 1.0), 2)
        return mbps, next((word for below, word in SPEED_WORDS if mbps < below), "excellent")

    @property
    def sends_mms(self) -> bool:
        """Whether a picture message goes out."""
        one, app = self.state, self.state["apps"].get("messaging", {})
        fit = self.data_works and one["technology"] != "2g" and one["mmsc"]
        over_wifi = one["wifi_calling"] and one["mms_over_wifi"]
        return bool(fit and not over_wifi and app.get("storage") and app.get("sms"))

    def simulate_network_search(self) -> None:
        """Look for a network: what was changed shows only now."""
        one = self.state
        served = one["sim"] == "active" and not one["sim_missing"] and not one["airplane"]
        if served and not one["apn_broken"] and one["line_active"]:
            technology = MODES[one["mode"]]
            one |= {"connection": "connected", "technology": technology, "signal": SIGNALS[technology]}
        else:
            one |= {"connection": "no_service", "technology": "none", "signal": "none"}

    def _set(self, name: str, value: Any) -> None:
        self.state[name] = value
        self.simulate_network_search()

    def _airplane(self, on: bool) -> None:
        if on:
            self.state["vpn"] = None
        self._set("airplane", on)
