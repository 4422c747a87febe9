using Data2Vec.Models;

namespace Data2Vec.Tests.Runs;

/// <summary>Listens to a run and says nothing.</summary>
internal sealed class SilentObserver : IPretrainObserver
{
    public void Phase(string what) { }
    public void Started(RunHeader header) { }
    public void Logged(StepReport report) { }
    public void Saved(string path, int step) { }
    public void Warned(string message) { }
    public void Finished(RunSummary summary) { }
}
