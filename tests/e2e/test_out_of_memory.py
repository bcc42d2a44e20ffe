"""Memory runs out in a real job: it goes on with half the batch, once, and says so."""

from safetensors.torch import load_file

from mtlab import RunSpec
from tests.real_runs import PATIENCE, notes, trained_steps

IN_TRAINING = """
import torch
from mtlab.training import tuning
step = tuning._Trainer.training_step
def training_step(self, *args, **options):
    if self.args.per_device_train_batch_size > 2 and self.state.global_step >= 5:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
    return step(self, *args, **options)
tuning._Trainer.training_step = training_step
"""

IN_DECODING = """
from mtlab.decoding import translator
run = translator._Work.run
def search(self):
    if self.decoding.token_budget > 32768 and self.decoding.strategy == "beam":
        raise MemoryError
    return run(self)
translator._Work.run = search
"""


def test_training_goes_on_with_half_the_batch_from_its_checkpoint(lab, spec, jobs_do_first):
    asked = spec(score_base=False, probe_size=0, seed=3)
    plain = lab.launch(asked)
    assert plain.wait(PATIENCE).state == "finished", plain.log_tail()
    jobs_do_first(IN_TRAINING)
    run = lab.launch(asked)
    status = run.wait(PATIENCE)
    assert status.state == "finished", status.sentence + run.log_tail()
    assert status.halved == ("training",) and status.attempts == 1
    assert notes(run)[:2] == [
        "memory ran out in the phase 'train'; once more with half the batch "
        "(2 pairs a batch, 16 a step as before)",
        "training goes on from checkpoint-4",
    ]
    assert run.spec.training.batch_size == 4, "the spec stays as launched"
    assert trained_steps(run) == [1, 2, 3, 4, 5, *range(5, 9)]
    weights = [load_file(one.folder / "adapter/adapter_model.safetensors") for one in (plain, run)]
    for name, value in weights[0].items():
        assert (weights[1][name] - value).norm() < 0.02 * value.norm(), "the same step sizes"


def test_decoding_goes_on_in_smaller_batches(lab, spec, jobs_do_first):
    jobs_do_first(IN_DECODING)
    asked = spec().to_json() | {"training": {"method": "none"}, "train": [], "test": ["de-en"]}
    run = lab.launch(RunSpec.from_json(asked))
    status = run.wait(PATIENCE)
    assert status.state == "finished", status.sentence + run.log_tail()
    assert status.halved == ("decoding",)
    assert notes(run)[0].startswith("memory ran out in the phase 'decode'; once more with half")
    assert set(run.scores()) == {"de-en"}
