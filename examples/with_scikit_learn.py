"""scikit-learn: a classifier trained on augmented copies, and the choice of a policy for it."""

from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from automorph import AugmentedClassifier

X, y = load_digits(return_X_y=True)
few, rest = slice(0, 200), slice(1000, None)

# Rows of 64 numbers from 0 to 16 are 8x8 images; predictions are never augmented.
model = AugmentedClassifier(SVC(), shape=(8, 8), levels=(0, 16), copies=4)
choices = {"policy": ["none", "crop", "composition(n=1,p=1,high=0.3)"]}
search = GridSearchCV(model, choices, cv=4).fit(X[few], y[few])

print(f"chosen by cross-validation on {len(y[few])} digits: {search.best_params_['policy']}")
print(f"on {len(y[rest])} others: {search.score(X[rest], y[rest]):.1%}")
print(f"without augmentation:  {SVC().fit(X[few], y[few]).score(X[rest], y[rest]):.1%}")
