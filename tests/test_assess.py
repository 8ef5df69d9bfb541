from cdss.assess import assess, assess_all
from cdss.estimate import NoEstimate, RiskEstimate
from cdss.limits import Limit
from tests.toy import record, toy_model

MODELS = (toy_model(), toy_model(id="toy-old", limits={"age": Limit(60, 90)}))
PATIENTS = [record(age=age, sex="male", bmi=24) for age in (30, 70, 85)]


def test_every_model_answers_or_refuses_in_the_order_asked() -> None:
    assessment = assess(PATIENTS[0], MODELS)

    assert PATIENTS[0] is assessment.record
    assert [RiskEstimate, NoEstimate] == [type(outcome) for outcome in assessment.outcomes]
    assert ["toy"] == [estimate.model for estimate in assessment.estimates]
    assert ["toy-old"] == [refusal.model for refusal in assessment.not_estimated]


def test_many_at_once_are_the_same_as_one_by_one() -> None:
    expected = tuple(assess(patient, MODELS) for patient in PATIENTS)

    assert expected == assess_all(PATIENTS, MODELS)
    assert [1, 2, 1] == [len(assessment.estimates) for assessment in expected]


def test_nobody_and_no_model() -> None:
    assert () == assess_all([], MODELS)
    assert () == assess(PATIENTS[0], ()).outcomes
