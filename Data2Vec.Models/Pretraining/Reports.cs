using Data2Vec.Models.Evaluation;

namespace Data2Vec.Models;

/// <summary>What is known when a run starts.</summary>
/// <param name="Modality">"text", "vision" or "audio".</param>
/// <param name="Preset">Name of the preset.</param>
/// <param name="Device">Description of the device.</param>
/// <param name="Data">Where the data comes from and how much there is.</param>
/// <param name="Parameters">Scalars of encoder and head.</param>
/// <param name="FirstStep">0, or the step that is resumed.</param>
/// <param name="Steps">Updates in all.</param>
/// <param name="Folder">The run folder.</param>
/// <param name="Unit">What a position is: tokens, frames or patches.</param>
public sealed record RunHeader(
    string Modality, string Preset, string Device, string Data, long Parameters, int FirstStep, int Steps, string Folder,
    string Unit);

/// <summary>One line of the log.</summary>
/// <param name="Step">Finished updates.</param>
/// <param name="Steps">Updates in all.</param>
/// <param name="Loss">Summed loss divided by the masked positions.</param>
/// <param name="LearningRate">Rate of this update.</param>
/// <param name="GradientNorm">Global norm before clipping.</param>
/// <param name="TargetStd">Deviation of the targets.</param>
/// <param name="PredictionStd">Deviation of the predictions.</param>
/// <param name="PositionR2">Share of the targets that the position explains.</param>
/// <param name="EffectiveRank">Of the targets.</param>
/// <param name="EmaDecay">Teacher decay after this update.</param>
/// <param name="StageStd">Deviation of the teacher's encoder input and of every layer's output.</param>
/// <param name="Skipped">Something was not finite, and the update was skipped.</param>
/// <param name="TokensPerSecond">Positions (tokens, frames, patches) read since the last line, per second.</param>
/// <param name="Seconds">Since the start of this process' training.</param>
/// <param name="EtaSeconds">Expected rest.</param>
public sealed record StepReport(
    int Step, int Steps, double Loss, double LearningRate, double GradientNorm, double TargetStd, double PredictionStd,
    double PositionR2, double EffectiveRank, double EmaDecay, IReadOnlyList<double> StageStd, bool Skipped,
    double TokensPerSecond, double Seconds, double EtaSeconds);

/// <summary>The contents of summary.json.</summary>
/// <param name="Modality">"text", "vision" or "audio".</param>
/// <param name="Preset">Name of the preset.</param>
/// <param name="Seed">Of the run.</param>
/// <param name="Steps">Finished updates.</param>
/// <param name="Seconds">Wall clock of this process, probes included.</param>
/// <param name="LossFirst">First logged loss of the run.</param>
/// <param name="LossLast">Last logged loss of the run.</param>
/// <param name="TargetStd">Last logged.</param>
/// <param name="PredictionStd">Last logged.</param>
/// <param name="PositionR2">Last logged.</param>
/// <param name="EffectiveRank">Last logged.</param>
/// <param name="Probes">Linear probes, if they were asked for.</param>
/// <param name="ProbesLeftOut">Probes that this data cannot have, each with the reason.</param>
/// <param name="TokensPerSecond">
/// Positions (tokens, frames, patches) per second over all training of this process.
/// </param>
/// <param name="FirstUpdateSeconds">
/// Time of this process' first update, in which pools are filled and kernels loaded that were not warmed; null
/// without one.
/// </param>
/// <param name="WarmSeconds">
/// Time of loading kernels before the first update; null on devices that compile none.
/// </param>
/// <param name="WarmKernels">Kernels that were loaded then: what such runs have used before.</param>
/// <param name="FirstUpdateKernels">Kernels that the first update had to load all the same.</param>
/// <param name="ReplayedUpdates">
/// Updates that went to the device as one launch of a graph; null on devices that have none.
/// </param>
/// <param name="PeakMemoryMb">
/// Peak of the process' resident memory: on Linux during this run, elsewhere since the process started.
/// </param>
/// <param name="Device">Description of the device.</param>
/// <param name="Threads">CPU threads.</param>
/// <param name="DataDigest">SHA-256 of the corpus.</param>
public sealed record RunSummary(
    string Modality, string Preset, ulong Seed, int Steps, double Seconds, double? LossFirst, double? LossLast,
    double? TargetStd, double? PredictionStd, double? PositionR2, double? EffectiveRank, IReadOnlyList<ProbeResult> Probes,
    IReadOnlyList<string> ProbesLeftOut, double TokensPerSecond, double? FirstUpdateSeconds, double? WarmSeconds,
    int? WarmKernels, int? FirstUpdateKernels, long? ReplayedUpdates, double PeakMemoryMb, string Device, int Threads,
    string DataDigest);

/// <summary>Told what happens in a run; the command line shows it.</summary>
public interface IPretrainObserver
{
    /// <summary>A phase before or after training: "training the tokenizer on 41 MB".</summary>
    void Phase(string what);

    /// <summary>Training starts.</summary>
    void Started(RunHeader header);

    /// <summary>A log line.</summary>
    void Logged(StepReport report);

    /// <summary>A checkpoint is on the disk.</summary>
    void Saved(string path, int step);

    /// <summary>Something looks wrong.</summary>
    void Warned(string message);

    /// <summary>The run is over.</summary>
    void Finished(RunSummary summary);
}
