"""How long turn taking waits, and for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """Every number of turn taking; times in seconds, counted from the visitor's last voice where not said."""

    quick_end_s: float = 0.4
    """A turn that sounds complete ends after so much silence: people answer each other after 0.2 s, and any
    sooner cuts one in ten off, whatever the detector."""
    slow_end_s: float = 2.5
    """A turn that sounds unfinished ends after so much silence."""
    unsure_end_s: float = 0.8
    """A turn whose last words were hardly understood ends after so much silence: they tell nothing."""
    unsure_ending: float = 0.3
    """Up to this, 0..1, last words count as hardly understood. Pocketsphinx, after Opus, made 13 of 152 whole
    questions in four synthetic voices sound unfinished: 10 of them had less than this."""
    sure_ending: float = 0.6
    """From this on, how unfinished words sound counts in full; between the two, ever more."""
    scant_s: float = 0.3
    """Of so little voice in all, hardly understood, nobody can tell whether it was an answer, or a "so" that
    begins a sentence: it, too, is waited for `unsure_end_s`."""
    sure_score: float = 0.9
    """From this score on, a turn sounds complete."""
    unsure_score: float = 0.1
    """Up to this score, it sounds unfinished; between the two, the wait falls smoothly."""
    dictation_end_s: float = 1.0
    """The shortest wait while a number or an address is dictated: people look at the digits in between."""
    patience_step_s: float = 0.2
    """A visitor who was cut off is waited for so much longer from then on."""
    patience_most_s: float = 0.8
    patience_fade: float = 0.8
    """What is left of that after each turn that was not cut off."""
    cut_off_s: float = 1.5
    """Who goes on within this time after a turn was taken for ended, was cut off."""
    hold_s: float = 0.3
    """A turn's end waits so long for sound that may begin a word: voice is sure only after 0.25 s."""

    pause_s: float = 0.3
    """Speech over a reply holds it after so much: a cough is shorter, and people stop within 0.5 s."""
    false_alarm_s: float = 2.0
    """A held reply goes on after so much without words."""
    peek_s: float = 1.0
    """Who speaks over a reply for so long is asked for words before they are silent, and again and again."""
    doubt_s: float = 8.0
    """A held reply goes on after so much sound of which nobody can tell any words."""
    wary_echoes: int = 2
    """After so many echoes of the avatar's own words, a reply is held only once others are known: where the
    echo canceller fails, every sentence would stop."""
    reaction_s: float = 0.2
    """Speech that began sooner after a reply's first sound is no answer to it: nobody reacts so quickly."""
    boundary_s: float = 1.0
    """A "yes" that began so shortly before the end of a reply answers it; before that, it means "go on"."""
    lately_s: float = 1.5
    """A "stop" so soon after a reply's end came too late; later, it is a question like others."""

    least_confidence: float = 0.35
    """Words less certain than this count as a noise where they are `brief_s` or shorter: longer speech gets
    an answer, if only to ask again. The same as the recogniser's `LOW_CONFIDENCE`."""
    brief_s: float = 0.8
    least_ending: float = 0.2
    """Over a reply, a lone brief word whose sound fits it less than this, 0..1, counts as a noise."""

    longest_s: float = 30.0
    """An utterance is answered after so much, even if it goes on."""
    words_timeout_s: float = 8.0
    """The recogniser has so much time to tell an utterance's words."""
    answer_timeout_s: float = 20.0
    """A reply has so much time until its first sound, and from one sentence to the next."""
    longest_reply_s: float = 120.0
    """A reply whose length nobody told may last so long; a desk's answers take 10 to 30 s."""
    playback_slack_s: float = 2.0
    """A reply is over so much after its last sound should have left, even if nobody says so."""
    resume_slack_s: float = 1.0
    """A reply that goes on repeats up to so much of what was said."""

    likely_score: float = 0.3
    """An answer is prepared at once from this score on; below it, `prepare_s` before the turn's end."""
    prepare_s: float = 0.6
    most_prepared: int = 3
    """Answers prepared for one utterance: who pauses often costs no more than this."""

    def wait_s(self, score: float, ending: float, voice: float | None = None) -> float:
        """Silence after which a turn ends, by its words and its voice.

        The voice decides between `quick_end_s` and `unsure_end_s`; only words that were well understood can
        ask for more than that, and a voice that sounds finished halves their doubt.

        Args:
            score: how finished the words sound, 0..1.
            ending: how surely the last of them were heard, 0..1.
            voice: how finished the voice sounds, 0..1, where something tells that.
        """
        sure = (ending - self.unsure_ending) / max(self.sure_ending - self.unsure_ending, 1e-6)
        longest_s = self.unsure_end_s + (self.slow_end_s - self.unsure_end_s) * min(max(sure, 0.0), 1.0)
        words_s = min(self.end_delay_s(score), longest_s)
        if voice is None:
            return words_s
        if words_s <= self.unsure_end_s:
            return min(self.end_delay_s(voice), self.unsure_end_s)
        return min(words_s, self.end_delay_s((score + voice) / 2))

    def end_delay_s(self, score: float) -> float:
        """Silence after which a turn ends that sounds so finished.

        Args:
            score: 0..1.

        Returns:
            Seconds from `slow_end_s` down to `quick_end_s`, smooth in the score.
        """
        share = (score - self.unsure_score) / max(self.sure_score - self.unsure_score, 1e-6)
        share = min(max(share, 0.0), 1.0)
        smooth = share * share * (3.0 - 2.0 * share)
        return self.quick_end_s + (self.slow_end_s - self.quick_end_s) * (1.0 - smooth)
