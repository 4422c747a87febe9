using Data2Vec.Models;
using static Data2Vec.Cli.SummaryTable;

namespace Data2Vec.Cli;

/// <summary>Progress of a run: one plain line per log entry, so that a pipe and a terminal show the same.</summary>
internal sealed class PretrainView(TextWriter output) : IPretrainObserver
{
    private string unit = "positions";

    public void Phase(string what) => output.WriteLine(what);

    public void Started(RunHeader header)
    {
        unit = header.Unit;
        output.WriteLine($"data2vec {header.Modality}, preset {header.Preset}: {N(header.Parameters, "N0")} parameters on "
            + $"{header.Device}");
        output.WriteLine($"data: {header.Data}");
        output.WriteLine(header.FirstStep > 0
            ? $"resuming at step {header.FirstStep} of {header.Steps} in {header.Folder}"
            : $"{header.Steps} steps into {header.Folder}");
    }

    public void Logged(StepReport r) => output.WriteLine(
        $"step {r.Step}/{r.Steps}  loss {N(r.Loss, "F3")}  lr {N(r.LearningRate, "E2")}  grad {N(r.GradientNorm, "F2")}  "
        + $"target_std {N(r.TargetStd, "F3")}  prediction_std {N(r.PredictionStd, "F3")}  "
        + $"position_r2 {N(r.PositionR2, "F2")}  rank {N(r.EffectiveRank, "F1")}  {N(r.TokensPerSecond, "F0")} {unit}/s  "
        + $"eta {N(Math.Floor(r.EtaSeconds / 60), "F0")}:{N(Math.Floor(r.EtaSeconds % 60), "00")}");

    public void Saved(string path, int step) => output.WriteLine($"saved {path}");

    public void Warned(string message) => output.WriteLine($"warning: {message}");

    public void Finished(RunSummary s)
    {
        output.WriteLine($"{s.Steps} steps in {N(s.Seconds, "F0")} s, loss {N(s.LossFirst, "F2")} -> {N(s.LossLast, "F2")}, "
            + $"{N(s.TokensPerSecond, "F0")} {unit}/s, peak memory {N(s.PeakMemoryMb, "F0")} MB");
        WriteProbes(s, output);
    }
}
